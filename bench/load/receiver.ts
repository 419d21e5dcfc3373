import { type Server, type Socket, createServer } from 'node:net';
import { MessageReader } from './message_reader.js';

const answer = Buffer.from(
  'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}',
);

/**
 * A destination on raw sockets, so that it costs little beside what is measured. The path of a delivery says what
 * becomes of it: `/in…` is answered at once, `/after/<ms>…` later, `/held…` when `release` is called, and `/never…`
 * never.
 */
export class Receiver {
  /** Told of each delivery once it is whole; monotonic milliseconds. */
  onArrival: (path: string, atMs: number) => void = () => undefined;
  /** Told as an answer is written. */
  onAnswer: (path: string, atMs: number) => void = () => undefined;
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #held: (() => void)[] = [];

  private constructor(server: Server, sockets: Set<Socket>, port: number) {
    this.#server = server;
    this.#sockets = sockets;
    this.port = port;
  }

  static async start(): Promise<Receiver> {
    const server = createServer({ noDelay: true });
    const sockets = new Set<Socket>();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port: 0, host: '0.0.0.0', backlog: 4096 }, resolve);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the receiver has no port');
    const receiver = new Receiver(server, sockets, address.port);
    server.on('connection', (socket) => receiver.#serve(socket));
    return receiver;
  }

  /** Answers the deliveries that are held. */
  release(): void {
    for (const respond of this.#held.splice(0)) respond();
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    const reader = new MessageReader(({ head }) => {
      const path = head.slice(head.indexOf(' ') + 1, head.indexOf(' HTTP/'));
      this.onArrival(path, performance.now());
      this.#answerLater(path, () => {
        this.onAnswer(path, performance.now());
        socket.write(answer);
      });
    });
    socket.on('data', (chunk) => reader.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #answerLater(path: string, respond: () => void): void {
    if (path.startsWith('/in')) respond();
    else if (path.startsWith('/held')) this.#held.push(respond);
    else if (path.startsWith('/after/')) setTimeout(respond, Number(path.split('/')[2]));
  }
}
