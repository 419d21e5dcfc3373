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

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
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
      socket.destroy();
    }
  }
}
