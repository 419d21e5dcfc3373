import { type Server, type Socket, createServer } from 'node:net';
import { type TlsOptions, createServer as createTlsServer } from 'node:tls';
import { type LoopbackServer, listenOnLoopback } from './loopback.js';
import type { Cleanup } from './scripted_destination.js';

/** One whole request as it came over the wire. */
export interface RawRequest {
  /** Counting from 0, which connection it came over. */
  readonly connection: number;
  readonly head: string;
  readonly idempotencyKey: string;
  readonly body: string;
}

/** What a destination does with one connection. */
export type Behaviour = (peer: Peer) => unknown;

/** The destination's end of one connection: bytes in, bytes out, no HTTP in between. */
export class Peer {
  readonly socket: Socket;
  readonly #connection: number;
  readonly #onRequest: (request: RawRequest) => void;
  #received = Buffer.alloc(0);
  #wake: () => void = () => undefined;

  constructor(socket: Socket, connection: number, onRequest: (request: RawRequest) => void) {
    this.socket = socket;
    this.#connection = connection;
    this.#onRequest = onRequest;
  }

  /** The next whole request; never, if none comes. */
  async request(): Promise<RawRequest> {
    const head = await this.head();
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
    const end = Buffer.byteLength(head) + length;
    await this.#until(() => this.#received.length >= end);
    const body = this.#received.toString('utf8', head.length, end);
    this.#received = this.#received.subarray(end);
    const idempotencyKey = /^idempotency-key: (.*)$/im.exec(head)?.[1] ?? '';
    const request = { connection: this.#connection, head, idempotencyKey, body };
    this.#onRequest(request);
    return request;
  }

  /** The next request's head, blank line included; it stays for `request`. */
  async head(): Promise<string> {
    this.#listen();
    await this.#until(() => this.#received.includes('\r\n\r\n'));
    return this.#received.toString('latin1', 0, this.#received.indexOf('\r\n\r\n') + 4);
  }

  send(bytes: string | Buffer): void {
    if (this.socket.writable) this.socket.write(bytes, 'latin1');
  }

  /** Sends again and again, as fast as it is read, until the other side has gone. */
  sendForEver(bytes: string | Buffer): void {
    const block = Buffer.from(bytes);
    const fill = (): void => {
      while (this.socket.writable && this.socket.write(block));
    };
    this.socket.on('drain', fill);
    fill();
  }

  /** Sends the same bytes at intervals until the other side has gone. */
  drip(bytes: string, everyMs: number): void {
    const timer = setInterval(() => this.send(bytes), everyMs);
    this.socket.once('close', () => clearInterval(timer));
  }

  /** Closes in order: what was sent arrives, then the end. */
  end(bytes = ''): void {
    this.socket.end(bytes, 'latin1');
  }

  /** Breaks the connection: the other side gets RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  #listen(): void {
    if (this.socket.listenerCount('data') > 0) return;
    this.socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** Answers every request of a connection with 200 and the same five bytes. */
export async function behave(peer: Peer): Promise<void> {
  for (;;) {
    await peer.request();
    peer.send('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfine!');
  }
}

export interface RawDestination extends LoopbackServer {
  readonly url: string;
  /** Every whole request, in the order they came. */
  readonly requests: readonly RawRequest[];
}

/** A destination that plays one behaviour a connection, in order, and then behaves. It stops with the test. */
export async function startRawDestination(
  t: Cleanup,
  behaviours: readonly Behaviour[],
  { tls }: { readonly tls?: TlsOptions } = {},
): Promise<RawDestination> {
  const requests: RawRequest[] = [];
  let connections = 0;
  const serve = (socket: Socket): void => {
    socket.on('error', () => undefined);
    socket.setNoDelay();
    const peer = new Peer(socket, connections, (request) => requests.push(request));
    const behaviour = behaviours[connections] ?? behave;
    connections += 1;
    void behaviour(peer);
  };
  const server: Server =
    tls === undefined
      ? createServer(serve)
      : createTlsServer(tls, serve).on('tlsClientError', () => undefined);
  const listening = await listenOnLoopback(server);
  t.teardown(() => listening.close());
  const scheme = tls === undefined ? 'http' : 'https';
  return { ...listening, url: `${scheme}://127.0.0.1:${listening.port}/in`, requests };
}
