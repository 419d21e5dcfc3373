import type { IncomingMessage } from 'node:http';
import type { Failure } from '../failure.js';

/** An app sends a handful, and the proxies before it add a few. */
export const maxHeaders = 100;

/**
 * Why a request that can be parsed may still mean one thing to the relay and another to somebody in between, or
 * `undefined`. What is ambiguous is refused whatever it asks for, and its connection closed.
 */
export function ambiguityOf(request: IncomingMessage): Failure | undefined {
  if (request.httpVersionMajor !== 1) return malformed('This server speaks HTTP/1.1.');
  if (hasTooManyHeaders(request)) return tooManyHeaders(request);
  // RFC 9112, 3.2: which of two hosts was meant, and whether one was needed, is nothing to guess.
  const hosts = countHosts(request.rawHeaders);
  if (hosts > 1) return malformed('A request has one Host header, and not several.');
  if (hosts === 0 && request.httpVersion === '1.1') {
    return malformed('A request of HTTP/1.1 needs a Host header.');
  }
  return undefined;
}

/**
 * Node drops what comes after a server's `maxHeadersCount` without a word, which here is one more than is allowed. So
 * an idempotency key, an encoding or a second macaroon could get lost.
 */
function hasTooManyHeaders({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>): boolean {
  return rawHeaders.length > 2 * maxHeaders;
}

/** Whoever hides the macaroon behind them has sent none. */
function tooManyHeaders({ method, headers }: IncomingMessage): Failure {
  if (method === 'POST' && headers['x-api-key'] === undefined && headers.authorization === undefined) {
    const detail = `Send your macaroon in the X-Api-Key header, as one of at most ${maxHeaders} headers.`;
    return { code: 'missing_macaroon', detail };
  }
  return { code: 'headers_too_large', detail: `A request may have at most ${maxHeaders} headers.` };
}

/** Node keeps the first of several; the names and values are all in `rawHeaders`, in turn. */
function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts;
}

function malformed(detail: string): Failure {
  return { code: 'malformed_request', detail };
}
