/**
 * Bytes that somebody else sends in pieces of any size. A piece that is kept as it came takes some 400 bytes beside its
 * own, so a body in HTTP chunks of a single byte each would take four hundred times the memory that it may: what comes
 * after the first piece is copied together.
 */
export class ByteList {
  /** The first piece as it came, as long as it is the only one; else room of which a part is filled. */
  #room: Buffer | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** What it takes of memory, at most a little more than twice its size or 16 kB. */
  get heldBytes(): number {
    return this.#room?.length ?? 0;
  }

  add(piece: Buffer): void {
    const size = this.#size + piece.length;
    if (this.#room === undefined) {
      this.#room = piece;
    } else {
      // The first piece is full, and not ours to write to.
      if (size > this.#room.length) this.#room = this.#grown(Math.max(2 * size, leastRoom));
      piece.copy(this.#room, this.#size);
    }
    this.#size = size;
  }

  /** All of it in one; good until more is added. */
  get bytes(): Buffer {
    return this.#room?.subarray(0, this.#size) ?? nothing;
  }

  #grown(length: number): Buffer {
    const room = Buffer.allocUnsafeSlow(length);
    this.bytes.copy(room);
    return room;
  }
}

const leastRoom = 16 * 1024;
const nothing = Buffer.alloc(0);
