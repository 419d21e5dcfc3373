import type { Clock } from '../clock.js';
import type { WriteThrough } from './write_through.js';

/** The end of one job, decided, and not seen by anybody yet. */
export interface Ending {
  /** Whether the store took it when it was first asked. */
  readonly written: Promise<boolean>;
  /** Asks the store again. */
  readonly writeAgain: () => Promise<boolean> | undefined;
  /** Whether there is still a job to end. */
  readonly isWanted: () => boolean;
  readonly show: () => void;
}

/**
 * Shows ends once they are written. What cannot be written is shown all the same when `patienceMs` have passed, so that
 * nobody waits for ever for a disk.
 */
export class Endings {
  readonly #store: Pick<WriteThrough, 'hold'>;
  readonly #clock: Clock;
  readonly #patienceMs: number;
  /** Not written yet, in the order in which they are shown all the same. */
  readonly #unwritten = new Set<{ readonly showAtMs: number; readonly show: () => void }>();

  constructor(store: Pick<WriteThrough, 'hold'>, clock: Clock, patienceMs: number) {
    this.#store = store;
    this.#clock = clock;
    this.#patienceMs = patienceMs;
  }

  /** Resolves when there is nothing left to write, or the relay stops. */
  async showOnceWritten({ written: first, writeAgain, isWanted, show }: Ending): Promise<void> {
    const unwritten = { showAtMs: this.#clock.monotonicMs() + this.#patienceMs, show };
    this.#unwritten.add(unwritten);
    let written = await first;
    while (!written && (await this.#store.hold()) && isWanted()) written = (await writeAgain()) === true;
    this.#unwritten.delete(unwritten);
    if (written) show();
  }

  /** Shows what has not been written for too long. What is written later is shown twice, which `show` has to bear. */
  showOverdue(nowMs: number): void {
    for (const ending of this.#unwritten) {
      if (ending.showAtMs > nowMs) return;
      this.#unwritten.delete(ending);
      ending.show();
    }
  }
}
