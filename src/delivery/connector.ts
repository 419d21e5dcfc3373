import { connect as connectTcp, type Socket } from 'node:net';
import { createSecureContext, rootCertificates } from 'node:tls';
import { buildConnector } from 'undici';
import { codeOf, ConnectError, type ConnectFailure, type ConnectPhase, tlsFailure } from './connect_error.js';
import { type Guard, refusedAddress, type ResolvedAddress } from './guard.js';

/** Opens a connection and reports it, or the error; the function it returns abandons one that is not yet made. */
export type GuardedConnector = (
  target: buildConnector.Options,
  callback: buildConnector.Callback,
) => () => void;

export interface ConnectorOptions {
  readonly guard: Guard;
  /** Bounds resolving, connecting and the TLS handshake together. */
  readonly timeoutMs: number;
  /** PEM certificates to trust besides Node's own roots. */
  readonly ca?: readonly string[];
}

/**
 * How long one of a name's addresses may keep the next from being tried. Node's 250 ms are less than a round
 * trip by satellite or a lost packet, and only the last address of the list gets longer than this.
 */
const nextAddressAfterMs = 1000;

const keepAliveProbeMs = 60_000;

/**
 * A connector for `new Agent({ connect })` that reaches only what the guard permits. It resolves a name once,
 * connects to the very addresses that were vetted, and looks at the peer before a byte is sent. It has its own
 * deadline, and can be abandoned, because undici's abort signals do not reach a connection that is still being made.
 *
 * Every failure is a `ConnectError`; anything else is a bug.
 */
export function createGuardedConnector(options: ConnectorOptions): GuardedConnector {
  const { guard, timeoutMs, ca = [] } = options;
  const startTls = tlsConnector(ca);
  return (target, callback) => {
    const host = target.hostname;
    const port = portOf(target);
    const making = begin(host, timeoutMs, callback);

    const onConnected = (tcp: Socket) => {
      const peer = tcp.remoteAddress;
      if (peer === undefined) {
        // The destination has reset the connection already, and the kernel has forgotten who it was.
        making.fail({ reason: 'connect', code: 'ECONNRESET' });
        return;
      }
      const verdict = guard.judge(peer, port);
      if (!verdict.allowed) {
        making.fail(refusedAddress(host, peer, verdict.rule));
      } else if (target.protocol === 'http:') {
        making.succeed(tcp);
      } else {
        making.enter('tls', tcp);
        startTls(target, tcp, (error, socket) => {
          // Not `socket === null`, as its type has it: undici leaves the socket out.
          if (error !== null) making.fail(tlsFailure(error), error);
          else making.succeed(socket);
        });
      }
    };

    guard.resolve(host, port, timeoutMs).then((resolution) => {
      if (making.isOver()) return;
      if (!resolution.ok) {
        making.reject(resolution.error);
        return;
      }
      const tcp = openTcp(host, port, resolution.addresses);
      making.enter('connect', tcp);
      // Stays for good: a socket that is given up may still report why it broke.
      tcp.on('error', (error) => making.fail({ reason: 'connect', code: codeOf(error) }, error));
      tcp.once('connect', () => onConnected(tcp));
    }, making.reject);
    return making.abandon;
  };
}

/** One connection on its way. At most one of its ends is reported, and no socket outlives a bad one. */
interface Making {
  readonly isOver: () => boolean;
  readonly enter: (phase: ConnectPhase, tcp: Socket) => void;
  readonly succeed: (socket: Socket) => void;
  readonly fail: (failure: ConnectFailure, cause?: unknown) => void;
  readonly reject: (error: Error) => void;
  /** Nobody waits any more: the socket is closed, and nothing is reported. */
  readonly abandon: () => void;
}

function begin(host: string, timeoutMs: number, callback: buildConnector.Callback): Making {
  let over = false;
  let phase: ConnectPhase = 'dns';
  let tcp: Socket | undefined;

  const abandon = () => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    tcp?.destroy();
  };
  const reject = (error: Error) => {
    if (over) return;
    abandon();
    callback(error, null);
  };
  const fail = (failure: ConnectFailure, cause?: unknown) =>
    reject(new ConnectError(host, failure, { cause }));
  const expire = () => fail({ reason: 'timeout', during: phase });
  // What has arrived while the event loop was busy is looked at before the destination is blamed.
  const timer = setTimeout(() => setImmediate(expire), timeoutMs);
  // At a stop nobody waits for it any more.
  timer.unref();

  return {
    isOver: () => over,
    enter(nextPhase, socket) {
      phase = nextPhase;
      tcp = socket;
    },
    succeed(socket) {
      if (over) {
        socket.destroy();
        return;
      }
      over = true;
      clearTimeout(timer);
      callback(null, socket);
    },
    fail,
    reject,
    abandon,
  };
}

function openTcp(host: string, port: number, addresses: readonly ResolvedAddress[]): Socket {
  return connectTcp({
    host,
    port,
    // Not called for literals. A second resolution could give other answers than the ones vetted.
    lookup: (_hostname, _options, answer) => answer(null, [...addresses]),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: nextAddressAfterMs,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveProbeMs,
    noDelay: true,
  });
}

type StartTls = (target: buildConnector.Options, tcp: Socket, callback: buildConnector.Callback) => void;

/** undici's own connector for the TLS part alone: ALPN, and resumption of sessions. */
function tlsConnector(ca: readonly string[]): StartTls {
  const connect = buildConnector({
    // One for all connections: to build it takes a third of a millisecond, and forty with certificates added.
    secureContext: createSecureContext({
      minVersion: 'TLSv1.2',
      ...(ca.length > 0 && { ca: [...rootCertificates, ...ca] }),
    }),
    // Explicitly, so that NODE_TLS_REJECT_UNAUTHORIZED has no say.
    rejectUnauthorized: true,
    keepAliveInitialDelay: keepAliveProbeMs,
    // The deadline of `begin` covers it.
    timeout: 0,
  });
  return ({ protocol, hostname, host, port }, httpSocket, callback) =>
    // Without the `servername` undici may pass on from a Host header: the URL's host is what is verified.
    connect({ protocol, hostname, port, httpSocket, ...(host !== undefined && { host }) }, callback);
}

function portOf({ port, protocol }: buildConnector.Options): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}
