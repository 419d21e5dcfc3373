import type { DestinationStream } from 'pino';
import type { Clock } from '../clock.js';

/** Where lines go in the end. */
export interface LineOutput {
  /** Writes a text of whole lines, and calls back once whoever reads has taken it, or never will. */
  readonly write: (text: string, taken: () => void) => void;
  /** The line that stands for those that were lost. */
  readonly lossLine: (lines: number) => string;
  readonly after: Clock['after'];
  /** Lines held until they are taken, in UTF-16 code units; what does not fit is lost, and counted. */
  readonly maxHeld: number;
}

/**
 * How long a line waits for others. Writing in every turn of the event loop took a tenth of the time of a poll, most of
 * it for waking whoever reads.
 */
const collectMs = 20;

/**
 * Collects the lines of a few milliseconds into one write, because a write costs more than all else about a line. One
 * write at a time is on its way, so that a reader that stops reading costs lines and not memory.
 */
export class LineSink implements DestinationStream {
  readonly #output: LineOutput;
  #held = '';
  #onItsWay = 0;
  #scheduled = false;
  #lost = 0;
  #lostInAll = 0;

  constructor(output: LineOutput) {
    this.#output = output;
  }

  /** Lines lost since the beginning. */
  get lostLines(): number {
    return this.#lostInAll;
  }

  write(line: string): void {
    if (this.#held.length + this.#onItsWay + line.length > this.#output.maxHeld) {
      this.#lost += 1;
      this.#lostInAll += 1;
      return;
    }
    this.#held += line;
    if (this.#scheduled || this.#onItsWay > 0) return;
    this.#scheduled = true;
    this.#output.after(collectMs, () => {
      this.#scheduled = false;
      this.flush();
    });
  }

  /** Hands over what is held, without waiting for more. */
  flush(): void {
    if (this.#onItsWay > 0 || this.#held === '') return;
    const text = this.#held;
    this.#held = '';
    this.#onItsWay = text.length;
    this.#output.write(text, () => this.#taken());
  }

  #taken(): void {
    this.#onItsWay = 0;
    if (this.#lost > 0) {
      this.#held += this.#output.lossLine(this.#lost);
      this.#lost = 0;
    }
    this.flush();
  }
}
