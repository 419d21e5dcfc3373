/** Ends the reading of a body, and with it what it takes of memory. */
type GiveUp = () => void;

/**
 * Bodies that clients have begun to send and that are not whole yet. Each has a bound of its own, and there may be as
 * many as connections, so together they are bounded too: beyond it those that were begun first are given up. An honest
 * body arrives within milliseconds; the oldest are those whose clients hold them back.
 */
export class IncomingBodies {
  readonly #maxBytes: number;
  /** What each takes of memory by now, in the order in which they were begun. */
  readonly #bodies = new Map<GiveUp, number>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Says how much a body takes by now. One alone is always let through: its size has a bound of its own. */
  note(body: GiveUp, bytes: number): void {
    this.#bytes += bytes - (this.#bodies.get(body) ?? 0);
    this.#bodies.set(body, bytes);
    for (const giveUp of this.#bodies.keys()) {
      if (this.#bytes <= this.#maxBytes || this.#bodies.size === 1) return;
      this.forget(giveUp);
      giveUp();
    }
  }

  /** It is whole, or nobody wants it any more. */
  forget(body: GiveUp): void {
    this.#bytes -= this.#bodies.get(body) ?? 0;
    this.#bodies.delete(body);
  }
}
