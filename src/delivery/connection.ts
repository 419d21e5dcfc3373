import type { Socket } from 'node:net';
import { Client, type Dispatcher, errors } from 'undici';
import { AnswerGate } from './answer_gate.js';
import type { GuardedConnector } from './connector.js';

export interface ConnectionOptions {
  /** Opens the socket, and refuses what the egress policy forbids. */
  readonly connect: GuardedConnector;
  /** Bound on one answer with everything around its body. */
  readonly maxWireBytes: number;
}

/** A destination may ask to keep an idle connection open, and no longer than this. */
const maxKeepAliveMs = 30_000;

/**
 * One connection to one origin, which carries one request at a time. Each attempt has one to itself, from before
 * it is made: so giving up the attempt gives up its socket, even while that is still connecting, and what came over
 * a connection is known to belong to its attempt.
 */
export class Connection {
  readonly origin: string;
  readonly #client: Client;
  #socket: Socket | undefined;
  #address: string | undefined;
  #gate: AnswerGate | undefined;
  #broken = false;
  #used = false;
  #abandonConnecting: () => void = () => undefined;

  constructor(origin: string, { connect, maxWireBytes }: ConnectionOptions) {
    this.origin = origin;
    // The attempt's own deadline covers every phase, so undici's per-phase timers are off. Redirects are not
    // followed: undici follows none unless told to. No HTTP/2: one connection, one request, one vetted address.
    this.#client = new Client(origin, {
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveMaxTimeout: maxKeepAliveMs,
      pipelining: 1,
      allowH2: false,
      // Called again if an idle connection turns out to be closed when the next request is to be written.
      connect: (target, callback) => {
        this.#address = undefined;
        this.#abandonConnecting = connect(target, (...made) => {
          const [error, socket] = made;
          if (error === null) {
            this.#socket = socket;
            // Kept, because a socket that has closed forgets it.
            this.#address = socket.remoteAddress;
            this.#broken = false;
            socket.once('error', (error) => {
              this.#broken = !(error instanceof errors.UndiciError);
              // TLS that fails after the handshake is reported, and the socket left open: undici waits for its end.
              socket.destroy();
            });
            this.#gate = new AnswerGate(socket, maxWireBytes);
          }
          callback(...made);
        });
      },
    });
  }

  /** The handler is told whatever undici or the connector say; see `attemptError`. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    // undici looks once more at an idle connection before it writes, in the next turn of the event loop. A lane's
    // next job begins in the very turn that read the answer before it: a close behind that answer is seen only after
    // one more.
    if (this.#used) setImmediate(() => this.#client.dispatch(options, handler));
    else this.#client.dispatch(options, handler);
    this.#used = true;
  }

  /** The IP address at the other end, once the connection has been made. */
  get address(): string | undefined {
    return this.#address;
  }

  /** Whether the connection broke, rather than being closed by either side. */
  get broken(): boolean {
    return this.#broken;
  }

  /**
   * Lets the connection rest, if it can carry another request: it stands, the last answer has ended, and the
   * request before it was sent to its last byte. (A destination that refuses a long body early may never read the
   * rest, and a request behind that rest would wait in vain.)
   */
  rest(onClosed: () => void): boolean {
    const { connected, size } = this.#client.stats;
    if (!connected || size > 0 || this.#socket?.writableLength !== 0) return false;
    this.#gate?.rest();
    this.#client.once('disconnect', onClosed);
    return true;
  }

  /** Ends the rest; `onClosed` is not called any more. */
  wake(onClosed: () => void): void {
    this.#client.off('disconnect', onClosed);
  }

  /** Closes it at once, whatever it is doing. */
  destroy(): Promise<void> {
    this.#abandonConnecting();
    return this.#client.destroy();
  }
}
