import type { Clock } from '../clock.js';

/** The longest timer a `Clock` keeps (what `setTimeout` takes); a later moment is reached in several steps. */
const maxTimerMs = 2 ** 31 - 1;

/** A moment of the wall clock, by which a macaroon is worthless. Calls back once when it is reached. */
export class Deadline {
  readonly #clock: Clock;
  readonly #atMs: number | undefined;
  readonly #onReached: () => void;
  #cancel: () => void = () => undefined;
  #done = false;

  /** `atMs` is undefined where there is no such moment. */
  constructor(clock: Clock, atMs: number | undefined, onReached: () => void) {
    this.#clock = clock;
    this.#atMs = atMs;
    this.#onReached = onReached;
    this.#arm();
  }

  /** Looks at the clock again: one that was set forward is noticed before the timer ends. */
  check(): void {
    if (this.#done || this.#atMs === undefined || this.#clock.nowMs() < this.#atMs) return;
    this.stop();
    this.#onReached();
  }

  stop(): void {
    this.#done = true;
    this.#cancel();
  }

  #arm(): void {
    if (this.#atMs === undefined) return;
    const waitMs = Math.min(Math.max(this.#atMs - this.#clock.nowMs(), 0), maxTimerMs);
    this.#cancel = this.#clock.after(waitMs, () => {
      this.check();
      if (!this.#done) this.#arm();
    });
  }
}
