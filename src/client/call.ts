import { ExportAbortedError, type ExportError, ExportTimeoutError } from './errors.js';
import type { ClientClock, Signal } from './platform.js';

export interface CallOptions {
  readonly clock: ClientClock;
  /** For the call as a whole, in ms; `Infinity` for no bound. */
  readonly timeoutMs: number;
  readonly signal?: Signal | undefined;
}

/**
 * One call of the library, from its beginning to its end: its time and its caller's signal are looked after here, and
 * whatever waits within it waits through it. `close` has to be called at the end.
 */
export class Call {
  readonly #clock: ClientClock;
  readonly #endsAtMs: number;
  readonly #callerSignal: Signal | undefined;
  readonly #controller = new AbortController();
  readonly #onAbort = (): void => this.#end(abortedBy(this.#callerSignal?.reason));
  readonly #disarm: () => void;
  #ending: ExportError | undefined;

  constructor({ clock, timeoutMs, signal }: CallOptions) {
    this.#clock = clock;
    this.#endsAtMs = clock.monotonicMs() + timeoutMs;
    this.#callerSignal = signal;
    this.#disarm = Number.isFinite(timeoutMs)
      ? clock.after(timeoutMs, () => this.#end(timedOut(timeoutMs)))
      : () => undefined;
    if (signal?.aborted === true) this.#onAbort();
    else signal?.addEventListener('abort', this.#onAbort);
  }

  /** Aborted when the call has ended before its time, whatever the reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get remainingMs(): number {
    return this.#endsAtMs - this.#clock.monotonicMs();
  }

  /** Throws if the time is over or the caller has aborted. */
  throwIfEnded(): void {
    if (this.#ending !== undefined) throw this.#ending;
  }

  /** Rejects if the call ends first. */
  async sleep(ms: number): Promise<void> {
    let cancel: () => void = () => undefined;
    const slept = new Promise<void>((resolve) => {
      cancel = this.#clock.after(ms, resolve);
    });
    try {
      await unlessAborted(this.signal, slept).catch(() => this.throwIfEnded());
    } finally {
      cancel();
    }
  }

  close(): void {
    this.#disarm();
    this.#callerSignal?.removeEventListener('abort', this.#onAbort);
  }

  #end(error: ExportError): void {
    if (this.#ending !== undefined) return;
    this.#ending = error;
    this.close();
    this.#controller.abort();
  }
}

/** The promise, or a rejection as soon as the signal is aborted; what the promise rejects with later is nobody's. */
export function unlessAborted<Value>(signal: AbortSignal, promise: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new Error('aborted'));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

function abortedBy(reason: unknown): ExportAbortedError {
  return new ExportAbortedError('the call was aborted; a job that was accepted goes on', { cause: reason });
}

function timedOut(timeoutMs: number): ExportTimeoutError {
  return new ExportTimeoutError(
    `the call was not done within ${timeoutMs / 1000} s; a job that was accepted goes on`,
  );
}
