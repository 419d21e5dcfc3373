/** One HTTP message. */
export interface Message {
  /** Without the empty line behind it. */
  readonly head: string;
  /** As Latin-1, so that bytes and characters are the same number; empty where bodies are only counted. */
  readonly body: string;
}

const headEnd = Buffer.from('\r\n\r\n');

/**
 * Splits the bytes of one connection into messages, and no more than that: what a load generator does for each request
 * is taken from the machine that the measured server runs on. Messages have a `Content-Length` or no body; nobody that
 * is measured here sends chunks.
 */
export class MessageReader {
  readonly #onMessage: (message: Message) => void;
  readonly #keepBodies: boolean;
  #held: Buffer | undefined;
  #head: string | undefined;
  #body = '';
  /** Bytes of the present message's body that have not come yet. */
  #bodyLeft = 0;

  constructor(onMessage: (message: Message) => void, { keepBodies = false } = {}) {
    this.#onMessage = onMessage;
    this.#keepBodies = keepBodies;
  }

  push(chunk: Buffer): void {
    let bytes = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = undefined;
    for (;;) {
      if (this.#head === undefined) {
        const end = bytes.indexOf(headEnd);
        if (end === -1) {
          if (bytes.length > 0) this.#held = bytes;
          return;
        }
        this.#head = bytes.toString('latin1', 0, end);
        this.#bodyLeft = contentLength(this.#head);
        bytes = bytes.subarray(end + headEnd.length);
      }
      const taken = Math.min(this.#bodyLeft, bytes.length);
      if (this.#keepBodies) this.#body += bytes.toString('latin1', 0, taken);
      this.#bodyLeft -= taken;
      bytes = bytes.subarray(taken);
      if (this.#bodyLeft > 0) return;
      const message = { head: this.#head, body: this.#body };
      this.#head = undefined;
      this.#body = '';
      this.#onMessage(message);
    }
  }
}

function contentLength(head: string): number {
  return Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
}
