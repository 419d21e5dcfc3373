import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** A TCP server that accepts connections and says nothing, or one thing. */
export class SilentServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(greeting?: string): Promise<SilentServer> {
    const silent: SilentServer = new SilentServer(
      createServer((socket) => {
        silent.#sockets.add(socket);
        socket.on('error', () => undefined).resume();
        if (greeting !== undefined) socket.end(greeting);
      }),
    );
    silent.#server.listen(0, '127.0.0.1');
    await once(silent.#server, 'listening');
    return silent;
  }

  /** Connections that are open. */
  get open(): number {
    return [...this.#sockets].filter(({ destroyed }) => !destroyed).length;
  }

  /** `host:port`. */
  get authority(): string {
    const address = this.#server.address();
    return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  /** The next connection that comes in. */
  async accepted(): Promise<Socket> {
    const [first] = this.#sockets;
    if (first !== undefined) return first;
    await once(this.#server, 'connection');
    return this.accepted();
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }
}
