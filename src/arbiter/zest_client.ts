import { type FetchOutcome, garbage, secretFromAnswer } from './outcome.js';
import type { RequestSocket, Zeromq } from './zeromq.js';
import {
  codeContent,
  codeUnauthorized,
  decodeResponse,
  encodeSecretRequest,
  optionContentFormat,
  refusals,
} from './zest.js';

export interface ZestFetch {
  readonly zeromq: Zeromq;
  /** `tcp://host:port`, as {@link parseArbiterEndpoint} gives it. */
  readonly address: string;
  /** Whether the host is a literal IPv6 address. */
  readonly ipv6: boolean;
  readonly token: Uint8Array;
  /** The arbiter's public key in Z85. */
  readonly serverKey: string;
  /** The service's name. */
  readonly host: string;
  /** Connecting, handshake and answer together. */
  readonly timeoutMs: number;
}

/** A secret and its framing fit many times over. */
const maxAnswerBytes = 4096;

const stopped: FetchOutcome = { reason: 'unreachable', detail: 'stopped before connecting' };
const handshakeFailed =
  'connected, but the CURVE handshake did not end: is ZMQ_PUBLIC_KEY the key of this arbiter?';

/**
 * Asks once for the secret. **Each answered request makes the arbiter forget the secret before it**, so this is not
 * something to try out.
 *
 * A request socket that got no answer can do nothing but go on waiting, so each try has its own, with its own keys.
 */
export async function fetchSecretOverZest(fetch: ZestFetch, signal: AbortSignal): Promise<FetchOutcome> {
  if (signal.aborted) return stopped;
  const keys = fetch.zeromq.curveKeyPair();
  const socket = new fetch.zeromq.Request({
    curvePublicKey: keys.publicKey,
    curveSecretKey: keys.secretKey,
    curveServerKey: fetch.serverKey,
    // Without this, `send` takes the message before there is anybody to send it to, and nobody knows if it left.
    immediate: true,
    ipv6: fetch.ipv6,
    linger: 0,
    maxMessageSize: maxAnswerBytes,
    // Trying again is the caller's, who backs off.
    reconnectInterval: -1,
  });
  const connection = new Connection(socket, fetch.timeoutMs, signal);
  try {
    socket.connect(fetch.address);
    await socket.send(encodeSecretRequest(fetch));
    connection.sent = true;
    return readAnswer(await socket.receive());
  } catch {
    // Closing the socket is what ends a wait; why it was closed is in the connection's state.
    return connection.failure();
  } finally {
    connection.close();
  }
}

/** What is known of one try's connection. Closes the socket when there is nothing left to wait for. */
class Connection {
  sent = false;
  #connected = false;
  #broken = false;
  readonly #socket: RequestSocket;
  readonly #signal: AbortSignal;
  readonly #deadline: NodeJS.Timeout;

  constructor(socket: RequestSocket, timeoutMs: number, signal: AbortSignal) {
    this.#socket = socket;
    this.#signal = signal;
    this.#deadline = setTimeout(this.close, timeoutMs);
    signal.addEventListener('abort', this.close);
    const { events } = socket;
    events.on('connect', () => (this.#connected = true));
    for (const type of ['close', 'connect:retry', 'disconnect'] as const) events.on(type, this.#onBroken);
  }

  /** Why there is no answer. */
  failure(): FetchOutcome {
    if (this.sent) {
      const detail = this.#broken
        ? 'it closed the connection instead of answering'
        : 'no answer within the deadline';
      return { reason: 'no_answer', detail, mayRotateLater: true };
    }
    return { reason: 'unreachable', detail: this.#connected ? handshakeFailed : 'no connection' };
  }

  readonly close = (): void => {
    clearTimeout(this.#deadline);
    this.#signal.removeEventListener('abort', this.close);
    this.#socket.close();
  };

  readonly #onBroken = (): void => {
    this.#broken = true;
    this.close();
  };
}

function readAnswer(frames: readonly Uint8Array[]): FetchOutcome {
  const [frame] = frames;
  if (frame === undefined || frames.length > 1) return garbage(`an answer of ${frames.length} frames`);
  const response = decodeResponse(frame);
  if (!response.ok) return garbage(`an answer that is not Zest: ${response.reason}`);
  const { code, options, payload } = response;
  if (code === codeUnauthorized) {
    return {
      reason: 'not_registered',
      detail: '129 (unauthorized): the platform has not registered this service with this token yet',
    };
  }
  const refusal = refusals.get(code);
  if (refusal !== undefined) return { reason: 'refused', detail: `${code} (${refusal})` };
  if (code !== codeContent) return garbage(`the code ${code}, which is no answer to this request`);
  const formats = options.filter(({ number }) => number === optionContentFormat);
  if (formats.length !== 1 || formats[0]?.value.length !== 2)
    return garbage('a secret without content format');
  return secretFromAnswer(payload);
}
