import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { Destination } from '../egress/destination.js';
import { AnswerCollector, type Collected } from './answer_collector.js';
import type { Cancellation } from './cancellation.js';
import { captureBody } from './capture.js';
import { cancelled, timedOut } from './classify.js';
import type { Connection } from './connection.js';
import type { GuardedConnector } from './connector.js';
import { type CustomHeaders, requestHeaders } from './headers.js';
import type { AttemptOutcome } from './outcome.js';
import { ConnectionPool } from './pool.js';

/** One attempt to deliver a job. */
export interface Delivery {
  readonly destination: Destination;
  /** Sent byte for byte. */
  readonly data: string;
  /** What the app wants sent besides the relay's own headers. */
  readonly headers: CustomHeaders;
  /** The same for every attempt of a job, so that a destination can tell a repetition. */
  readonly idempotencyKey: string;
  /** The attempt's place in the trace that the job was submitted with; goes out as it is. */
  readonly traceparent?: string | undefined;
  /** Wall clock as the attempt begins. */
  readonly nowMs: number;
  /** The whole attempt: resolving, connecting, sending, and the answer to its last byte. */
  readonly timeoutMs: number;
  /** Gives the attempt up. */
  readonly cancellation: Cancellation;
}

/** Makes one attempt. Never rejects. */
export type Deliver = (delivery: Delivery) => Promise<AttemptOutcome>;

export interface SenderOptions {
  /** Opens connections, and refuses those that the egress policy forbids. */
  readonly connect: GuardedConnector;
  /** Cap on the kept response body, on the wire and after decompression. */
  readonly maxResponseBytes: number;
  /** Connections kept open without a request, to all destinations together. */
  readonly maxIdleConnections: number;
  readonly userAgent: string;
  /** Standard Webhooks keys; every delivery is signed with each. */
  readonly signingKeys: readonly Uint8Array[];
}

export interface Sender {
  readonly deliver: Deliver;
  /** Connections that are in use, idle or being made. */
  connections(): number;
  /** Closes every connection at once. */
  close(): Promise<void>;
}

const keptHeaders = ['content-type', 'location', 'retry-after'] as const;

/**
 * Room for an answer on the wire: its body, up to eight times as much in chunks of a single byte (six bytes each
 * with their framing), and heads. What is more than that has no end.
 */
function maxWireBytes(maxResponseBytes: number): number {
  return 8 * maxResponseBytes + 256 * 1024;
}

/** Sends jobs to their destinations over kept-alive connections, one request at a time on each. */
export function createSender(options: SenderOptions): Sender {
  const pool = new ConnectionPool({
    connect: options.connect,
    maxWireBytes: maxWireBytes(options.maxResponseBytes),
    maxIdle: options.maxIdleConnections,
  });
  return {
    deliver: (delivery) => attempt(pool, delivery, options),
    connections: () => pool.size,
    close: () => pool.close(),
  };
}

/**
 * One attempt against its deadline, with a connection of its own. Giving up does not wait for undici, which does not
 * pass an abort on to a connection that is still being made: taking the connection back closes it.
 */
async function attempt(
  pool: ConnectionPool,
  delivery: Delivery,
  options: SenderOptions,
): Promise<AttemptOutcome> {
  const collector = new AnswerCollector(options.maxResponseBytes);
  // The immediate lets an answer that came while the event loop was busy go first.
  const timer = setTimeout(() => setImmediate(() => collector.giveUp(timedOut)), delivery.timeoutMs);
  const { cancellation } = delivery;
  cancellation.tell(() => collector.giveUp(cancelled));
  const connection = pool.take(delivery.destination.origin);
  try {
    if (!cancellation.isCancelled) connection.dispatch(requestOf(delivery, options), collector);
    const outcome = await outcomeOf(await collector.collected, connection, options);
    const { address } = connection;
    return address === undefined ? outcome : { ...outcome, address };
  } finally {
    clearTimeout(timer);
    cancellation.tell(undefined);
    pool.giveBack(connection);
  }
}

function requestOf(delivery: Delivery, options: SenderOptions): Dispatcher.DispatchOptions {
  const { destination, data } = delivery;
  return { path: destination.path, method: 'POST', headers: requestHeaders(delivery, options), body: data };
}

async function outcomeOf(
  collected: Collected,
  connection: Connection,
  { maxResponseBytes }: SenderOptions,
): Promise<AttemptOutcome> {
  if (collected.kind === 'failed') return collected;
  const { statusCode, headers, body } = collected;
  const captured = await captureBody(body, single(headers['content-encoding']), maxResponseBytes);
  const truncated = captured.truncated || (endsWithConnection(headers) && connection.broken);
  return { kind: 'answered', answer: { statusCode, headers: pick(headers), ...captured, truncated } };
}

/**
 * Whether nothing but the end of the connection tells where the body ends (RFC 9112 section 6.3). Then undici takes
 * a connection that broke for one that ended.
 */
function endsWithConnection(headers: IncomingHttpHeaders): boolean {
  return headers['content-length'] === undefined && headers['transfer-encoding'] === undefined;
}

function pick(headers: IncomingHttpHeaders): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of keptHeaders) {
    const value = single(headers[name]);
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}

/** A header's value; of a repeated one, the first. */
function single(value: string | string[] | undefined): string | undefined {
  return typeof value === 'object' ? value[0] : value;
}
