import { type Socket, connect } from 'node:net';
import { MessageReader } from './message_reader.js';

/** One answer of a server. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** One kept-alive connection that carries one request at a time, given as the very bytes to send. */
export class Client {
  readonly #socket: Socket;
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const reader = new MessageReader(
      ({ head, body }) => {
        const waiting = this.#waiting;
        this.#waiting = undefined;
        waiting?.resolve({ status: statusOf(head), body });
      },
      { keepBodies: true },
    );
    socket.on('data', (chunk) => reader.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#waiting?.reject(new Error('the server closed the connection')));
  }

  static async open(port: number): Promise<Client> {
    return new Client(await openSocket(port));
  }

  send(request: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }
}

export function openSocket(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

/** The status of an answer's head, which begins `HTTP/1.1 200`. */
export function statusOf(head: string): number {
  return Number(head.slice(9, 12));
}
