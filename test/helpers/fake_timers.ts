import type { Timers } from '#relay/arbiter/secret_source.js';

/** A clock that stands still until it is told to move on. */
export class FakeTimers implements Timers {
  /** Every delay that was asked for, in order. */
  readonly delaysMs: number[] = [];
  readonly #alarms = new Set<{ readonly atMs: number; readonly action: () => void }>();
  #nowMs = 0;

  readonly nowMs = (): number => this.#nowMs;

  readonly after = (delayMs: number, action: () => void): (() => void) => {
    const alarm = { atMs: this.#nowMs + delayMs, action };
    this.delaysMs.push(delayMs);
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  };

  get pending(): number {
    return this.#alarms.size;
  }

  /** Goes to the next alarm, runs it, and lets everything that it set off settle. False if there was none. */
  async next(): Promise<boolean> {
    const [alarm] = [...this.#alarms].sort((one, other) => one.atMs - other.atMs);
    if (alarm === undefined) return false;
    this.#alarms.delete(alarm);
    this.#nowMs = alarm.atMs;
    alarm.action();
    await settled();
    return true;
  }
}

/** Resolves when the promises that are ready have run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
