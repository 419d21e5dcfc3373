import type { Clock } from '#relay/clock.js';

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

/** Time that stands still until a test moves it. */
export class FakeClock implements Clock {
  #wallMs: number;
  #monotonicMs = 0;
  readonly #timers = new Set<Timer>();
  /** Every delay that was asked for, in order. */
  readonly delaysMs: number[] = [];

  constructor(wallMs = Date.UTC(2030, 0, 1)) {
    this.#wallMs = wallMs;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#monotonicMs + delayMs, callback };
    this.#timers.add(timer);
    this.delaysMs.push(delayMs);
    return () => this.#timers.delete(timer);
  }

  /** Timers that have neither fired nor been cancelled. */
  get armed(): number {
    return this.#timers.size;
  }

  /** Moves both clocks on, firing what is due in order and letting its consequences happen. */
  async advance(ms: number): Promise<void> {
    await settled();
    const endMs = this.#monotonicMs + ms;
    for (let next = this.#due(endMs); next !== undefined; next = this.#due(endMs)) {
      this.#timers.delete(next);
      this.#moveTo(next.atMs);
      next.callback();
      await settled();
    }
    this.#moveTo(endMs);
    await settled();
  }

  /** Goes to the next timer, fires it, and lets its consequences happen. False if there was none. */
  async next(): Promise<boolean> {
    const timer = this.#due(Infinity);
    if (timer === undefined) return false;
    await this.advance(timer.atMs - this.#monotonicMs);
    return true;
  }

  /** Sets the wall clock as an operator would; the monotonic clock does not notice. */
  jumpWallClock(ms: number): void {
    this.#wallMs += ms;
  }

  #due(endMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.atMs <= endMs && (first === undefined || timer.atMs < first.atMs)) first = timer;
    }
    return first;
  }

  #moveTo(monotonicMs: number): void {
    this.#wallMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }
}

/** Resolves once all promise callbacks that are due have run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
