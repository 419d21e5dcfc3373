const windowSeconds = 10;
const maxRetryAfterSeconds = 60;

/** How fast jobs have been finishing over the last ten seconds, in one counter a second. */
export class DrainRate {
  readonly #counts = new Array<number>(windowSeconds).fill(0);
  #second = 0;

  /** Notes that a job finished at a monotonic time. */
  note(nowMs: number): void {
    this.#advance(nowMs);
    const slot = this.#second % windowSeconds;
    this.#counts[slot] = (this.#counts[slot] ?? 0) + 1;
  }

  /** Whole seconds until `places` more jobs have likely finished: 1 to 60, and 60 when nothing moves. */
  secondsUntil(places: number, nowMs: number): number {
    this.#advance(nowMs);
    const perSecond = this.#counts.reduce((sum, count) => sum + count, 0) / windowSeconds;
    return Math.max(1, Math.min(maxRetryAfterSeconds, Math.ceil(places / perSecond)));
  }

  #advance(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    const steps = Math.min(windowSeconds, second - this.#second);
    for (let step = 1; step <= steps; step += 1) this.#counts[(second - steps + step) % windowSeconds] = 0;
    this.#second = Math.max(this.#second, second);
  }
}
