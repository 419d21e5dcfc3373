import type { Socket } from 'node:net';

/**
 * Answers that were written and that their clients have not read. They lie in memory, so together they are bounded:
 * beyond the bound, the connections that have kept answers waiting longest are cut off.
 */
export class UnreadAnswers {
  readonly #maxBytes: number;
  /** In the order in which connections began to keep answers waiting. */
  readonly #bySocket = new Map<Socket, number>();
  readonly #known = new WeakSet<Socket>();
  #bytes = 0;
  /** Of connections that were cut off: their memory is free only once they have closed. */
  #closingBytes = 0;
  /** Those who wait for room, first come first; no more than there are requests in work. */
  #line: (() => void)[] = [];
  #letsIn = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes + this.#closingBytes;
  }

  /**
   * `undefined` if an answer can be made now, as nearly always; else resolves when it can: as soon as connections that
   * were cut off have closed. Whoever has waited notes the answer in the same turn.
   */
  room(): Promise<void> | undefined {
    if (this.#line.length === 0 && !this.#isFull) return undefined;
    return new Promise((resolve) => {
      this.#line.push(resolve);
      if (!this.#letsIn) void this.#letIn();
    });
  }

  /** Notes an answer of `bytes` that is about to be written; to be called back when the system has taken it. */
  note(socket: Socket, bytes: number): () => void {
    if (socket.destroyed) return () => undefined;
    if (!this.#known.has(socket)) {
      this.#known.add(socket);
      // Responses that wait behind another one do not hear of the end of their connection.
      socket.once('close', () => this.#forget(socket, this.#bySocket.get(socket) ?? 0));
    }
    this.#bySocket.set(socket, (this.#bySocket.get(socket) ?? 0) + bytes);
    this.#bytes += bytes;
    this.#cutOff(socket, bytes);
    return () => this.#forget(socket, bytes);
  }

  /** Whether it is worth waiting: full of what is about to be freed. */
  get #isFull(): boolean {
    return this.#closingBytes > 0 && this.bytes > this.#maxBytes;
  }

  async #letIn(): Promise<void> {
    this.#letsIn = true;
    while (this.#line.length > 0) {
      await new Promise(setImmediate);
      const line = this.#line;
      let entered = 0;
      while (entered < line.length && !this.#isFull) {
        line[entered]?.();
        entered += 1;
        // Its answer is made and noted meanwhile.
        await Promise.resolve();
      }
      this.#line = line.slice(entered);
    }
    this.#letsIn = false;
  }

  #forget(socket: Socket, bytes: number): void {
    const held = this.#bySocket.get(socket);
    if (held === undefined) return;
    this.#bytes -= bytes;
    if (held > bytes) this.#bySocket.set(socket, held - bytes);
    else this.#bySocket.delete(socket);
  }

  /** One answer alone is always let through: its size has a bound of its own. */
  #cutOff(newest: Socket, newestBytes: number): void {
    for (const [socket, bytes] of this.#bySocket) {
      if (this.#bytes <= this.#maxBytes) return;
      if (socket === newest && bytes === newestBytes) continue;
      this.#forget(socket, bytes);
      this.#closingBytes += bytes;
      socket.once('close', () => (this.#closingBytes -= bytes));
      socket.destroy();
    }
  }
}
