import { type Call, unlessAborted } from './call.js';
import { versionOf } from './job.js';
import type { ClientClock, FetchLike } from './platform.js';
import { type Problem, parseObject, problemOf } from './problem.js';
import { retryAfterMs } from './retry.js';

/** A question to the relay. */
export interface RelayRequest {
  readonly path: '/export' | '/lp/export';
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
  /** How long the relay may take by our own wish, in ms. */
  readonly heldMs?: number;
}

/** An answer that is what was asked for. */
export interface RelayAnswer {
  readonly document: Readonly<Record<string, unknown>>;
  readonly version: number | undefined;
}

/** What became of one attempt to ask. */
export type Outcome =
  | { readonly kind: 'answer'; readonly answer: RelayAnswer }
  | { readonly kind: 'problem'; readonly problem: Problem; readonly retryAfterMs: number | undefined }
  /** No answer, or not a whole one: the relay may have done what was asked, or not. */
  | { readonly kind: 'broken'; readonly reason: string; readonly cause: unknown };

export interface TransportOptions {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly macaroon: string;
  readonly fetch: FetchLike;
  readonly clock: ClientClock;
  /** How long the relay may take to answer what it need not hold, in ms. */
  readonly requestTimeoutMs: number;
}

/** Asks once. Rejects only if the call ends meanwhile. */
export async function askOnce(
  call: Call,
  request: RelayRequest,
  options: TransportOptions,
): Promise<Outcome> {
  call.throwIfEnded();
  const patienceMs = options.requestTimeoutMs + (request.heldMs ?? 0);
  const attempt = new AbortController();
  const stop = (): void => attempt.abort();
  const disarm = options.clock.after(patienceMs, stop);
  call.signal.addEventListener('abort', stop);
  try {
    return await unlessAborted(attempt.signal, exchange(request, options, attempt.signal));
  } catch (error) {
    call.throwIfEnded();
    const reason = attempt.signal.aborted ? `no answer within ${patienceMs / 1000} s` : reasonOf(error);
    return { kind: 'broken', reason, cause: error };
  } finally {
    disarm();
    call.signal.removeEventListener('abort', stop);
  }
}

async function exchange(
  { path, query, headers, body }: RelayRequest,
  { baseUrl, macaroon, fetch }: TransportOptions,
  signal: AbortSignal,
): Promise<Outcome> {
  const search = query === undefined ? '' : `?${new URLSearchParams(query).toString()}`;
  const response = await fetch(`${baseUrl}${path}${search}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Api-Key': macaroon, ...headers },
    body: JSON.stringify(body),
    signal,
    // Whatever a redirect leads to must not get the macaroon.
    redirect: 'manual',
    cache: 'no-store',
    credentials: 'omit',
  });
  const text = await response.text();
  if (response.status !== 200) {
    const suggestion = retryAfterMs(response.headers.get('retry-after'), Date.now());
    return { kind: 'problem', problem: problemOf(response.status, text), retryAfterMs: suggestion };
  }
  const document = parseObject(text);
  // A body without a length that breaks off looks whole to HTTP.
  if (document === undefined) return { kind: 'broken', reason: 'the answer was not whole', cause: undefined };
  return { kind: 'answer', answer: { document, version: versionOf(response.headers.get('etag')) } };
}

/** Node says "fetch failed" and hides why in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  const code = 'code' in cause ? String(cause.code) : '';
  return cause.message === '' ? code || error.message : cause.message;
}
