import type { DestinationAnswer } from './answer.js';
import { Call } from './call.js';
import { ExportError, ExportFailedError } from './errors.js';
import type { FinishedJob, Job } from './job.js';
import { type ClientSettings, type ExportClientOptions, settingsOf } from './options.js';
import { type Signal, randomKey } from './platform.js';
import { isObject, textMember } from './problem.js';
import { Relay, isNews } from './relay.js';
import { mayOpenSocket, socketStates } from './socket.js';
import { type SubmitOptions, submission } from './submission.js';
import type { RelayRequest } from './transport.js';

/** What any call takes. */
export interface CallOptions {
  /** Aborts the call; the job, if there is one, goes on: see `cancel`. */
  readonly signal?: Signal | undefined;
  /** For this call as a whole, in ms, instead of the client's `timeoutMs`. */
  readonly timeoutMs?: number | undefined;
}

export interface WaitOptions extends CallOptions {
  /** Told of every state of the job that is seen, the first and the last included. What it throws ends the call. */
  readonly onState?: ((job: Job) => void) | undefined;
}

export interface StatusOptions extends CallOptions {
  /** Ask for every step the job took as well. */
  readonly events?: boolean;
}

/** What a submission would have become. */
export interface DryRun {
  /** The uri, normalised. */
  readonly destination: string;
  /** What a delivery would choose from. */
  readonly addresses: readonly string[];
  /** Of the macaroon; all are satisfied. */
  readonly caveats: readonly string[];
}

/**
 * An app's way to an export relay. Calls may be made side by side. They reject with an `ExportError`; connections that break
 * and relays that are busy are borne within bounds, and nothing is delivered twice for it.
 */
export class ExportClient {
  readonly #settings: ClientSettings;
  readonly #relay: Relay;
  #socketIsOfUse: boolean;

  constructor(options: ExportClientOptions) {
    this.#settings = settingsOf(options);
    this.#relay = new Relay(this.#settings);
    this.#socketIsOfUse = mayOpenSocket(this.#settings.macaroon);
  }

  /**
   * Exports data and resolves with what the destination answered, whatever its status. Rejects with
   * `ExportFailedError` if the relay gave up, with another `ExportError` if there is no telling yet.
   */
  export(
    destination: string,
    data: string | object,
    options: WaitOptions & SubmitOptions = {},
  ): Promise<DestinationAnswer> {
    return this.#call(options, async (call, seen) => {
      const job = seen(await this.#submit(call, destination, data, options));
      options.onState?.(job);
      return answerOf(await this.#finished(call, job.id, job, seen, options));
    });
  }

  /** Hands data over and resolves as soon as the relay has accepted it. */
  submit(
    destination: string,
    data: string | object,
    options: CallOptions & SubmitOptions = {},
  ): Promise<Job> {
    return this.#call(options, (call) => this.#submit(call, destination, data, options));
  }

  /** Waits for the end of a job that was submitted before, and resolves and rejects as `export` does. */
  wait(id: string, options: WaitOptions = {}): Promise<DestinationAnswer> {
    return this.#call(options, async (call, seen) =>
      answerOf(await this.#finished(call, id, undefined, seen, options)),
    );
  }

  /** The job as it is now. */
  status(id: string, options: StatusOptions = {}): Promise<Job> {
    const query = options.events === true ? { query: { events: 'true' } } : {};
    return this.#call(options, (call) =>
      this.#relay.askJob(call, { path: '/export', ...query, body: { id } }),
    );
  }

  /** Ends a job: a Pending one never leaves. Resolves with the job, which may have been Finished before. */
  cancel(id: string, options: CallOptions = {}): Promise<Job> {
    const request: RelayRequest = { path: '/export', body: { id, action: 'cancel' } };
    return this.#call(options, (call) => this.#relay.askJob(call, request));
  }

  /** Runs every check that a submission meets, and exports nothing. */
  dryRun(
    destination: string,
    data: string | object,
    options: CallOptions & SubmitOptions = {},
  ): Promise<DryRun> {
    return this.#call(options, async (call) => {
      const request = submission(destination, data, options);
      const { document } = await this.#relay.ask(call, { ...request, query: { dry_run: 'true' } });
      const { dry_run: found } = document;
      if (!isObject(found)) throw this.#relay.notARelay();
      return {
        destination: textMember(found, 'destination') ?? '',
        addresses: textsIn(found['addresses']),
        caveats: textsIn(found['caveats']),
      };
    });
  }

  /**
   * The states of a job, from the one it is in to Finished, over the WebSocket where there is one that the macaroon
   * permits, else by long polls. Leaving the loop releases everything.
   */
  follow(id: string, options: CallOptions = {}): AsyncIterableIterator<Job, void, void> {
    const left = new AbortController();
    const states = this.#follow(id, options, left.signal);
    return {
      next: () => states.next(),
      // Of a generator alone, this would wait for the state that is being waited for.
      return: () => {
        left.abort();
        return states.return();
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  async *#follow(id: string, options: CallOptions, left: AbortSignal): AsyncGenerator<Job, void, void> {
    const call = this.#begin({ ...options, signal: either(options.signal, left) });
    let last: Job | undefined;
    try {
      for await (const job of this.#states(call, id, () => last)) {
        last = job;
        yield job;
      }
    } catch (error) {
      if (!left.aborted) throw about(error, last);
    } finally {
      call.close();
    }
  }

  /** First what the socket tells, then, if that was not all, what long polls do. */
  async *#states(call: Call, id: string, last: () => Job | undefined): AsyncGenerator<Job, void, void> {
    const { WebSocket } = this.#settings;
    if (WebSocket !== undefined && this.#socketIsOfUse) {
      // One that does not open will hardly do so the next time; long polls always work.
      this.#socketIsOfUse = false;
      const onOpen = (): void => {
        this.#socketIsOfUse = true;
      };
      for await (const job of socketStates(call, id, { ...this.#settings, WebSocket, onOpen })) {
        if (isNews(job, last())) yield job;
      }
    }
    yield* this.#relay.states(call, id, last());
  }

  async #submit(
    call: Call,
    destination: string,
    data: string | object,
    options: SubmitOptions,
  ): Promise<Job> {
    // One key for all attempts of this call: whichever of them got through, there is one job.
    const { idempotencyKey = randomKey() } = options;
    return this.#relay.askJob(call, submission(destination, data, { ...options, idempotencyKey }));
  }

  async #finished(
    call: Call,
    id: string,
    known: Job | undefined,
    seen: (job: Job) => Job,
    { onState }: WaitOptions,
  ): Promise<FinishedJob> {
    let last = known;
    for await (const job of this.#relay.states(call, id, known)) {
      last = seen(job);
      onState?.(job);
    }
    if (last?.state !== 'Finished') throw new Error('long polls ended before the job did');
    return last;
  }

  #begin({ signal, timeoutMs = this.#settings.timeoutMs }: CallOptions): Call {
    return new Call({ clock: this.#settings.clock, timeoutMs, signal });
  }

  /** Runs a call. Its errors are about the job that it has `seen` last. */
  async #call<Value>(
    options: CallOptions,
    run: (call: Call, seen: (job: Job) => Job) => Promise<Value>,
  ): Promise<Value> {
    const call = this.#begin(options);
    let last: Job | undefined;
    try {
      return await run(call, (job) => (last = job));
    } catch (error) {
      throw about(error, last);
    } finally {
      call.close();
    }
  }
}

function answerOf(job: FinishedJob): DestinationAnswer {
  if (job.error !== undefined) throw new ExportFailedError(job);
  return job.answer;
}

/** The error, about this job if it is one of the library's. */
function about(error: unknown, job: Job | undefined): unknown {
  return job !== undefined && error instanceof ExportError ? error.about(job) : error;
}

function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}

/** Aborted with either of two signals. */
function either(signal: Signal | undefined, other: AbortSignal): Signal {
  if (signal === undefined) return other;
  return {
    get aborted() {
      return signal.aborted || other.aborted;
    },
    get reason(): unknown {
      return signal.aborted ? signal.reason : undefined;
    },
    addEventListener(type, listener) {
      signal.addEventListener(type, listener);
      other.addEventListener(type, listener);
    },
    removeEventListener(type, listener) {
      signal.removeEventListener(type, listener);
      other.removeEventListener(type, listener);
    },
  };
}
