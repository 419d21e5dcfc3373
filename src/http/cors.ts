import type { IncomingHttpHeaders } from 'node:http';

type Headers = Readonly<Record<string, string>>;

/** What a page's script may send beside what it always may. */
export const corsRequestHeaders = [
  'X-Api-Key',
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'Prefer',
  'If-None-Match',
  'Traceparent',
] as const;

/** What a page's script may read beside what it always may. */
export const corsExposedHeaders = ['ETag', 'Retry-After', 'WWW-Authenticate', 'Allow'] as const;

/** Two hours, the longest that Chromium keeps a preflight's answer. */
const preflightSeconds = 7200;

/** An answer depends on who asks as soon as any page may: caches between have to know, whoever asked. */
const varies: Headers = { Vary: 'Origin' };

/**
 * The headers of every answer where pages of some origins may call the relay (the Fetch standard, 3.3). Credentials
 * are not allowed for: a page sends its macaroon itself, and a browser must add nothing of its own accord.
 */
export function corsHeaders({ origin }: IncomingHttpHeaders, allowed: readonly string[]): Headers {
  if (origin === undefined || !allowed.includes(origin)) return varies;
  return {
    ...varies,
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Expose-Headers': corsExposedHeaders.join(', '),
  };
}

/** Whether a request is a browser's question if a page that may call the relay may send it. */
export function isPreflight(
  method: string,
  headers: IncomingHttpHeaders,
  allowed: readonly string[],
): boolean {
  const { origin, 'access-control-request-method': asked } = headers;
  return method === 'OPTIONS' && asked !== undefined && origin !== undefined && allowed.includes(origin);
}

/**
 * The answer to such a question: the same for every path, so that a page gets to see the 404 or 405 of a mistaken
 * request. Browsers that treat a relay in a private network with more care ask for that too.
 */
export function preflightHeaders(headers: IncomingHttpHeaders): Headers {
  const isPrivate = headers['access-control-request-private-network'] === 'true';
  return {
    'Access-Control-Allow-Methods': 'GET, HEAD, POST',
    'Access-Control-Allow-Headers': corsRequestHeaders.join(', '),
    'Access-Control-Max-Age': String(preflightSeconds),
    ...(isPrivate ? { 'Access-Control-Allow-Private-Network': 'true' } : {}),
  };
}

/**
 * Whether a WebSocket may be opened by whatever sends this `Origin`. No browser asks first, as it does over HTTP, so
 * the relay looks itself. Programs that are no browser send none, or name the relay's own address, as some libraries
 * do unasked; no page comes from there.
 */
export function mayOpenSocket({ origin, host }: IncomingHttpHeaders, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes(origin)) return true;
  const own = host?.toLowerCase();
  return own !== undefined && [`http://${own}`, `https://${own}`].includes(origin.toLowerCase());
}
