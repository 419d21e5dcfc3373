import type { Entry } from './entry.js';

export interface ShelfOptions {
  readonly maxEntries: number;
  /** Told of each entry that makes room. */
  readonly onForget: (entry: Entry) => void;
}

/**
 * Text that entries may have on average, in bytes. Most have far less; where an app fills every field to the brim, the
 * shelf holds fewer entries instead of taking more memory.
 */
const textBytesPerEntry = 400;

/** Entries in the order in which they ended, up to a number of them and of bytes; the oldest make room. */
export class Shelf {
  readonly #options: ShelfOptions;
  /** From `#first` on; what is before it has gone. */
  #entries: (Entry | undefined)[] = [];
  #first = 0;
  #textBytes = 0;
  #forgotten = 0;

  constructor(options: ShelfOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.length - this.#first;
  }

  get forgotten(): number {
    return this.#forgotten;
  }

  /** Takes the newest entry out again, if it is like this; it is not forgotten by that. */
  takeNewest(isLike: (entry: Entry) => boolean): Entry | undefined {
    const newest = this.size === 0 ? undefined : this.#entries.at(-1);
    if (newest === undefined || !isLike(newest)) return undefined;
    this.#entries.pop();
    this.#textBytes -= textBytesOf(newest);
    return newest;
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
    this.#textBytes += textBytesOf(entry);
    const { maxEntries } = this.#options;
    while (this.size > maxEntries || (this.#textBytes > maxEntries * textBytesPerEntry && this.size > 1)) {
      this.#forgetOldest();
    }
  }

  /** The newest entry that ended before `seq`. */
  before(seq: number): Entry | undefined {
    // The entries are in order of `seq`, with gaps.
    let low = this.#first;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle]?.seq ?? 0) < seq) low = middle + 1;
      else high = middle;
    }
    return low > this.#first ? this.#entries[low - 1] : undefined;
  }

  #forgetOldest(): void {
    const entry = this.#entries[this.#first];
    this.#entries[this.#first] = undefined;
    this.#first += 1;
    // Moving what is left costs little when it is done this rarely.
    if (this.#first > 1024 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
    if (entry === undefined) return;
    this.#textBytes -= textBytesOf(entry);
    this.#forgotten += 1;
    this.#options.onForget(entry);
  }
}

/** As if no text were shared, and each character of what an app words freely took two bytes. */
function textBytesOf({ app, destination, path, purpose = '' }: Entry): number {
  return 2 * app.name.length + destination.name.length + path.length + 2 * purpose.length;
}
