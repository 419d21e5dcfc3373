import { Agent, type Dispatcher, type buildConnector } from 'undici';
import type { Destination } from '../egress/destination.js';
import { captureBody } from './capture.js';
import { attemptError, timedOut } from './classify.js';
import { type CustomHeaders, requestHeaders } from './headers.js';
import type { AttemptOutcome } from './outcome.js';

/** One attempt to deliver a job. */
export interface Delivery {
  readonly destination: Destination;
  /** Sent byte for byte. */
  readonly data: string;
  /** What the app wants sent besides the relay's own headers. */
  readonly headers: CustomHeaders;
  /** The same for every attempt of a job, so that a destination can tell a repetition. */
  readonly idempotencyKey: string;
  /** Wall clock as the attempt begins. */
  readonly nowMs: number;
  /** The whole attempt: resolving, connecting, sending, and the answer to its last byte. */
  readonly timeoutMs: number;
  /** Aborts the attempt. */
  readonly signal: AbortSignal;
}

/** Makes one attempt. Never rejects. */
export type Deliver = (delivery: Delivery) => Promise<AttemptOutcome>;

export interface SenderOptions {
  /** Opens connections, and refuses those that the egress policy forbids. */
  readonly connect: buildConnector.connector;
  /** Cap on the kept response body, on the wire and after decompression. */
  readonly maxResponseBytes: number;
  readonly userAgent: string;
  /** Standard Webhooks keys; every delivery is signed with each. */
  readonly signingKeys: readonly Uint8Array[];
}

export interface Sender {
  readonly deliver: Deliver;
  /** Closes every connection at once. */
  close(): Promise<void>;
}

const keptHeaders = ['content-type', 'location', 'retry-after'] as const;

/** Sends jobs to their destinations over kept-alive connections, one request at a time on each. */
export function createSender(options: SenderOptions): Sender {
  // The attempt's own deadline covers every phase, so undici's per-phase timers are off. Redirects are not followed:
  // undici follows none unless told to. No HTTP/2: one connection, one request, one address that was vetted.
  const agent = new Agent({
    connect: options.connect,
    headersTimeout: 0,
    bodyTimeout: 0,
    pipelining: 1,
    allowH2: false,
  });
  return {
    deliver: (delivery) => attempt(agent, delivery, options),
    close: () => agent.destroy(),
  };
}

/**
 * One attempt against its deadline. The deadline is a race and not only an abort, because undici does not pass an
 * abort on to a connection that is still being made.
 */
async function attempt(agent: Agent, delivery: Delivery, options: SenderOptions): Promise<AttemptOutcome> {
  const deadline = new AbortController();
  const signal = deadline.signal;
  const expired = new Promise<AttemptOutcome>((resolve) => {
    signal.addEventListener('abort', () => {
      resolve({ kind: 'failed', error: attemptError(signal.reason) });
    });
  });
  const timer = setTimeout(() => deadline.abort(timedOut), delivery.timeoutMs);
  const cancel = (): void => deadline.abort(delivery.signal.reason);
  delivery.signal.addEventListener('abort', cancel);
  try {
    return await exchange(agent, delivery, options, signal, expired);
  } finally {
    clearTimeout(timer);
    delivery.signal.removeEventListener('abort', cancel);
  }
}

async function exchange(
  agent: Agent,
  delivery: Delivery,
  options: SenderOptions,
  signal: AbortSignal,
  expired: Promise<AttemptOutcome>,
): Promise<AttemptOutcome> {
  const answered = post(agent, delivery, options, signal);
  const first = await Promise.race([answered, expired]);
  if ('kind' in first) return first;
  // From here the destination has answered: whatever happens to the body, its status stands.
  const { body, ...rest } = await captureBody(
    first.body,
    single(first.headers['content-encoding']),
    options.maxResponseBytes,
  );
  return {
    kind: 'answered',
    answer: { statusCode: first.statusCode, headers: pick(first.headers), body, ...rest },
  };
}

async function post(
  agent: Agent,
  delivery: Delivery,
  options: SenderOptions,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData | AttemptOutcome> {
  const { destination, data } = delivery;
  try {
    return await agent.request({
      origin: destination.origin,
      path: destination.path,
      method: 'POST',
      headers: requestHeaders({ ...delivery, ...options }),
      body: data,
      signal,
    });
  } catch (error) {
    return { kind: 'failed', error: attemptError(error) };
  }
}

function pick(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
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
