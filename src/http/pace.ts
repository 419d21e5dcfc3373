/** How many requests begin in one turn of the event loop while something else needs its turns. */
const perTurn = 4;

/** Work that may have lost its sense when its turn comes. */
export interface Piece {
  readonly run: () => void;
  /** Whether whoever asked for it has gone. */
  readonly isMoot: () => boolean;
}

/**
 * Begins a few pieces of work in each turn of the event loop and the others in the turns that follow, first come first.
 * A turn reads from every connection that has something to read. With a thousand of them it would take so long that
 * deliveries, each of which needs several turns, came to a standstill while new jobs were accepted or refused; so
 * clients wait for their answers instead, which slows them down. Where there is nothing to be held up, nobody waits: it
 * costs a poll a tenth of its time, most of it for collecting the garbage of all who wait.
 */
export class Pace {
  readonly #isNeeded: () => boolean;
  readonly #waiting: Piece[] = [];
  /** The first that has not begun: taking it off the front of an array would cost as much as there are. */
  #next = 0;
  #begun = 0;
  #turnEnds = false;

  /** `isNeeded` tells whether anything would be held up by a long turn. */
  constructor(isNeeded: () => boolean) {
    this.#isNeeded = isNeeded;
  }

  /** Runs it now if the turn has room and nobody waits, else as soon as it has. */
  begin(piece: Piece): void {
    if (this.#next < this.#waiting.length) this.#waiting.push(piece);
    else if (!this.#isNeeded()) piece.run();
    else {
      if (this.#begun < perTurn) {
        this.#begun += 1;
        piece.run();
      } else this.#waiting.push(piece);
      this.#awaitTurn();
    }
  }

  #awaitTurn(): void {
    if (this.#turnEnds) return;
    this.#turnEnds = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#turnEnds = false;
    this.#begun = 0;
    while (this.#begun < perTurn || !this.#isNeeded()) {
      const piece = this.#waiting[this.#next];
      if (piece === undefined) break;
      this.#next += 1;
      if (piece.isMoot()) continue;
      this.#begun += 1;
      piece.run();
    }
    if (this.#next === this.#waiting.length || this.#next >= 1024) {
      this.#waiting.splice(0, this.#next);
      this.#next = 0;
    }
    if (this.#begun > 0) this.#awaitTurn();
  }
}
