/**
 * Time, passed in. Timestamps that people read come from the wall clock; waits, deadlines and retention follow the
 * monotonic one, so that a clock set forward or back ends nothing early and holds nothing for ever.
 */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. */
  nowMs(): number;
  /** Milliseconds since some fixed moment; never runs backwards. */
  monotonicMs(): number;
  /** Calls back once after a delay; the function it returns cancels. */
  after(delayMs: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
