import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Failure, Result } from '../failure.js';
import { socketRoute } from '../http/app.js';
import type { MacaroonVerifier, VerifiedMacaroon } from '../macaroon/verify.js';
import { judgeHandshake, subprotocol } from './handshake.js';
import { ExportSocket, type SocketOptions } from './socket.js';

export interface SocketsOptions extends Omit<SocketOptions, 'connection'> {
  /** Undefined until the relay knows its secret. */
  readonly verifier: () => MacaroonVerifier | undefined;
  /** Origins whose pages may call the relay. */
  readonly corsOrigins: readonly string[];
}

/** Each piece of a frame takes some hundred bytes beside its own, and no client has a reason for so many. */
const maxFragments = 1000;
/** The same goes for what the network brings at a time, which is some hundred bytes at least, but for the last. */
const leastChunkBytes = 256;
const leastChunks = 1000;

/** How long a peer may take to answer a close frame. */
const closeTimeoutMs = 5000;

/** The relay's WebSocket interface (docs/websocket.md). */
export class ExportSockets {
  readonly #options: SocketsOptions;
  readonly #server: WebSocketServer;
  /** What was decided about requests that asked for an upgrade. */
  readonly #verdicts = new WeakMap<IncomingMessage, Result<VerifiedMacaroon>>();
  readonly #open = new Set<ExportSocket>();
  #stopping = false;
  readonly #onEmpty: (() => void)[] = [];

  constructor(options: SocketsOptions) {
    this.#options = options;
    const library = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.maxBodyBytes,
      maxFragments,
      maxBufferedChunks: Math.max(leastChunks, Math.ceil(options.maxBodyBytes / leastChunkBytes)),
      closeTimeout: closeTimeoutMs,
      // Never a `macaroon.…`: an answer is no place for a credential.
      handleProtocols: (offered: ReadonlySet<string>) => (offered.has(subprotocol) ? subprotocol : false),
    } as const;
    this.#server = new WebSocketServer(library);
  }

  /** Whether a request becomes a WebSocket. One that does not is answered like any other, and `refusal` says why. */
  readonly admits = (request: IncomingMessage): boolean => {
    if (request.method !== 'GET' || request.url?.split('?', 1)[0] !== socketRoute) return false;
    try {
      const verdict = this.#judge(request);
      this.#verdicts.set(request, verdict);
      return verdict.ok;
    } catch (error) {
      // Node's parser is no place for an exception to end up in. The request goes on, and meets the bug again.
      this.#options.onBug(error);
      return false;
    }
  };

  /** Why a request that came here was not upgraded. */
  readonly refusal = (request: IncomingMessage): Failure => {
    const verdict = this.#verdicts.get(request) ?? this.#judge(request);
    if (!verdict.ok) return verdict.failure;
    return {
      code: 'upgrade_required',
      detail: 'Ask for an upgrade on a connection where no request waits for its answer.',
    };
  };

  /** Takes over the connection of a request that was admitted. */
  readonly accept = (request: IncomingMessage, connection: Duplex, head: Buffer): void => {
    const verdict = this.#verdicts.get(request);
    if (verdict?.ok !== true) {
      connection.destroy();
      return;
    }
    this.#server.handleUpgrade(request, connection, head, (ws) =>
      this.#opened(ws, request.socket, verdict.value),
    );
  };

  /** Sockets that are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Closes every socket once what it asked has been answered, and in any case after `withinMs`. */
  async close(withinMs: number): Promise<void> {
    this.#stopping = true;
    if (this.#open.size === 0) return;
    const empty = new Promise<void>((resolve) => this.#onEmpty.push(resolve));
    const cancel = this.#options.clock.after(withinMs, () => {
      for (const socket of this.#open) socket.terminate();
    });
    for (const socket of this.#open) void socket.goAway();
    await empty;
    cancel();
  }

  #judge(request: IncomingMessage): Result<VerifiedMacaroon> {
    const { verifier, name, clock, corsOrigins } = this.#options;
    return judgeHandshake(request, {
      verifier: verifier(),
      name,
      nowMs: clock.nowMs(),
      stopping: this.#stopping,
      corsOrigins,
    });
  }

  #opened(ws: WebSocket, connection: Socket, macaroon: VerifiedMacaroon): void {
    const { onRequest, onSocketClosed } = this.#options;
    onRequest({
      requestId: randomUUID(),
      method: 'GET',
      route: socketRoute,
      status: 101,
      durationMs: 0,
      level: 'info',
      failure: undefined,
      job: undefined,
      subject: { owner: macaroon.identifier },
    });
    const socket = new ExportSocket(ws, macaroon, {
      ...this.#options,
      connection,
      onSocketClosed: (report) => {
        this.#open.delete(socket);
        onSocketClosed(report);
        if (this.#open.size === 0) for (const resolve of this.#onEmpty) resolve();
      },
    });
    this.#open.add(socket);
  }
}
