import type { Failure } from '../failure.js';

type Code = Failure['code'];

interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** At what level the request line is logged: the caller's faults are no news; ours are, and so is data kept in. */
  readonly level: 'info' | 'warn' | 'error';
}

/** The one table from what went wrong to what a client sees. */
export const problemKinds = {
  malformed_request: { status: 400, title: 'The request is not HTTP', level: 'info' },
  malformed_json: { status: 400, title: 'The body is not JSON', level: 'info' },
  invalid_request: { status: 400, title: 'The request is not valid', level: 'info' },
  missing_macaroon: { status: 401, title: 'A macaroon is needed', level: 'info' },
  invalid_macaroon: { status: 401, title: 'The macaroon is not valid', level: 'info' },
  caveat_not_satisfied: { status: 401, title: 'A caveat of the macaroon is not satisfied', level: 'info' },
  destination_refused: { status: 403, title: 'The destination is not allowed', level: 'warn' },
  origin_not_allowed: { status: 403, title: 'Pages of this origin may not call the relay', level: 'info' },
  unknown_job: { status: 404, title: 'There is no such job', level: 'info' },
  not_found: { status: 404, title: 'There is nothing at this path', level: 'info' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here', level: 'info' },
  request_timeout: { status: 408, title: 'The request took too long to arrive', level: 'info' },
  upgrade_required: { status: 426, title: 'A WebSocket upgrade is needed', level: 'info' },
  body_too_large: { status: 413, title: 'The body is too large', level: 'info' },
  unsupported_media_type: {
    status: 415,
    title: 'The body is encoded in a way the relay does not read',
    level: 'info',
  },
  idempotency_conflict: { status: 422, title: 'The idempotency key was used for other data', level: 'info' },
  headers_too_large: { status: 431, title: 'The headers are too large', level: 'info' },
  lane_full: { status: 429, title: 'Too many unfinished jobs for this destination', level: 'warn' },
  queue_full: { status: 503, title: 'The queue is full', level: 'warn' },
  too_many_waiters: { status: 503, title: 'Too many long polls', level: 'warn' },
  no_secret: { status: 503, title: 'The relay waits for its macaroon secret', level: 'warn' },
  shutting_down: { status: 503, title: 'The relay is stopping', level: 'info' },
  storage_unavailable: { status: 503, title: 'The relay cannot write to its storage', level: 'error' },
  internal: { status: 500, title: 'Internal error', level: 'error' },
} as const satisfies Record<Code, ProblemKind>;

/** A failure as an answer: status, extra headers, and an RFC 9457 document. */
export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly document: Readonly<Record<string, unknown>>;
  readonly level: ProblemKind['level'];
}

/** Describes a failure to the client that caused it or met it. */
export function problemOf(failure: Failure, requestId: string): Problem {
  const { status, title, level } = problemKinds[failure.code];
  const { code, detail, ...members } = failure;
  const document = {
    type: `/problems/${code}`,
    title,
    status,
    detail,
    code,
    request_id: requestId,
    ...visible(members),
  };
  return { status, level, document, headers: headersOf(failure, status) };
}

/** Members that go into the document; the others become headers or are for the log alone. */
function visible(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { errors, caveat, rule } = members;
  return {
    ...(errors === undefined ? {} : { errors }),
    ...(caveat === undefined ? {} : { caveat }),
    ...(rule === undefined ? {} : { rule }),
  };
}

/** Names what to upgrade to (RFC 9110, 7.8), and the version of it that is spoken (RFC 6455, 4.4). */
const upgradeHeaders = {
  'Upgrade': 'websocket',
  'Connection': 'Upgrade, close',
  'Sec-WebSocket-Version': '13',
};

function headersOf(failure: Failure, status: number): Record<string, string> {
  if (status === 401) return { 'WWW-Authenticate': 'Macaroon' };
  if (failure.code === 'method_not_allowed') return { Allow: failure.allow.join(', ') };
  if (failure.code === 'upgrade_required') return upgradeHeaders;
  if ('retryAfterSeconds' in failure) return { 'Retry-After': String(failure.retryAfterSeconds) };
  return {};
}
