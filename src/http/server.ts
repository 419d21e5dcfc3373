import { type RequestListener, type Server, createServer } from 'node:http';
import { type Server as TlsServer, createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { RequestReport } from './app.js';
import { ambiguityOf, maxHeaders } from './ambiguous.js';
import { awaitingContinue } from './body.js';
import { boundConnections } from './connections.js';
import { Pace } from './pace.js';
import { answerUnparsed } from './unparsed.js';
import { AnswersInWriting, type WantsUpgrade, upgradableMessage } from './upgrade.js';

export interface ServerOptions {
  /** Open connections; further ones are closed at once, see `boundConnections`. */
  readonly maxConnections: number;
  /**
   * For a client to send a whole request, for an idle connection to send the next, and for an answer to stay where it
   * is because nobody reads it.
   */
  readonly requestTimeoutMs: number;
  /** Certificate and key for HTTPS; plain HTTP without. */
  readonly certificate?: { readonly cert: string; readonly key: string } | undefined;
  /** Told why a connection was not accepted: `max_connections`, or the system's code, such as `EMFILE`. */
  readonly onRefused: (code: string) => void;
  /** Told of an answer to what could not be parsed, so that no handler has seen it. */
  readonly onRequest?: (report: RequestReport) => void;
  /** Whether a request that asks for an upgrade raises the server's `upgrade` event. */
  readonly wantsUpgrade: WantsUpgrade;
  /** Whether exports are on their way, which requests that come all at once must not hold up; default: always. */
  readonly isDelivering?: () => boolean;
}

/** An app's macaroon has at most 4 KiB; what comes beside it is small. */
const maxHeaderBytes = 16 * 1024;
/** How long a refused body is read and thrown away, so that the client gets to see the answer. */
const lingerMs = 1000;

/** The oldest version that is spoken. A new certificate comes with new settings, and needs it said again. */
export const oldestTls = 'TLSv1.2';

/** A server that no client can hold up: every wait and every buffer of a connection is bounded. */
export function createBoundedServer(handler: RequestListener, options: ServerOptions): Server | TlsServer {
  const { requestTimeoutMs, maxConnections, certificate, onRefused, onRequest, wantsUpgrade } = options;
  const checkingIntervalMs = Math.min(1000, Math.ceil(requestTimeoutMs / 4));
  const answers = new AnswersInWriting();
  const pace = new Pace(options.isDelivering ?? (() => true));
  const listener: RequestListener = (request, response) => {
    request.url = originForm(request.url ?? '/');
    // One that follows others on its connection is not what makes a turn long, and need not wait.
    const follows = answers.has(request.socket);
    answers.note(request, response);
    // Until it is answered a long poll may be as idle as it likes.
    response.on('timeout', () => {
      if (response.writableEnded) request.socket.destroy();
    });
    // Of one whose client has gone, nothing is left to be read.
    if (follows) handler(request, response);
    else pace.begin({ run: () => handler(request, response), isMoot: () => request.destroyed });
  };
  const bounds = {
    IncomingMessage: upgradableMessage(
      (request) =>
        !answers.has(request.socket) && ambiguityOf(request) === undefined && wantsUpgrade(request),
    ),
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: requestTimeoutMs,
    connectionsCheckingInterval: checkingIntervalMs,
    noDelay: true,
    // Said aloud, because NODE_OPTIONS can ask for a lenient parser, which two requests can be smuggled past as one.
    insecureHTTPParser: false,
    // The application answers a request without a Host: Node would do so without saying what is wrong.
    requireHostHeader: false,
  };
  const server =
    certificate === undefined
      ? createServer(bounds, listener)
      : createTlsServer(
          { ...bounds, ...certificate, minVersion: oldestTls, handshakeTimeout: requestTimeoutMs },
          listener,
        );
  // Later than the check for late requests, which are answered; what this cuts off gets no word.
  server.timeout = requestTimeoutMs + 2 * checkingIntervalMs;
  boundConnections(server, maxConnections, onRefused);
  // One more than is allowed, so that it shows when there are too many.
  server.maxHeadersCount = maxHeaders + 1;
  // Only a request whose headers were good is told to send its body.
  server.on('checkContinue', (request, response) => {
    awaitingContinue.add(request);
    listener(request, response);
  });
  // RFC 9110 (10.1.1) lets a server pass over expectations it does not know; Node would refuse them without a word.
  server.on('checkExpectation', listener);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const answered = answerUnparsed(error, socket, answers.current(socket));
    if (answered !== undefined) onRequest?.(answered);
  });
  server.on('error', (error: NodeJS.ErrnoException) => {
    // Before it listens an error is the starter's; from then on one connection's, and without a listener fatal.
    if (server.listening) onRefused(error.code ?? error.name);
  });
  server.on(certificate === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    lingerOnClose(socket);
    // Each pipelined long poll listens for the end of the connection, and they are bounded elsewhere.
    socket.setMaxListeners(0);
  });
  // Node's, and without a type: a client that has closed its sending side is answered before the connection closes.
  return Object.assign(server, { httpAllowHalfOpen: true });
}

/**
 * Closing a socket on which unread data waits makes the kernel send a reset, which can overtake the answer. So the
 * socket is closed for writing only, and what still comes is thrown away until the client closes or `lingerMs` pass.
 */
function lingerOnClose(socket: Socket): void {
  socket.destroySoon = () => {
    socket.end();
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once('close', () => clearTimeout(timer));
  };
}

/**
 * The target as path and query alone. What a client may put before them, in the form meant for proxies, decides
 * nothing here; and parsers throw at authorities that are none.
 */
function originForm(target: string): string {
  const path = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '');
  return path === target || path.startsWith('/') ? path : `/${path}`;
}
