import type { ServerResponse } from 'node:http';

/** One answer of the admin listener, whole. */
export interface AdminAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * On every answer. Nothing is loaded from elsewhere, no script or style stands in the page itself, nobody may frame it,
 * and no other site may embed any of it.
 */
export const securityHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

export function json(status: number, value: unknown): AdminAnswer {
  return { status, contentType: 'application/json; charset=utf-8', body: JSON.stringify(value) };
}

export function text(status: number, body: string, headers?: Readonly<Record<string, string>>): AdminAnswer {
  const answer = { status, contentType: 'text/plain; charset=utf-8', body: `${body}\n` };
  return headers === undefined ? answer : { ...answer, headers };
}

/** Writes an answer. To HEAD, Node sends the headers alone. */
export function write(response: ServerResponse, { status, contentType, body, headers }: AdminAnswer): void {
  response.writeHead(status, {
    ...securityHeaders,
    'Cache-Control': 'no-store',
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}
