import type { Destination } from '../egress/destination.js';
import { hasEncodedSlash, matchesPattern } from '../egress/pattern.js';
import type { Predicate } from './predicate.js';
import type { VerifiedMacaroon } from './verify.js';

/** Whether every caveat of one stage is satisfied; if not, the first that is not, and what came instead. */
export type Verdict =
  | { readonly satisfied: true }
  | {
      readonly satisfied: false;
      /** The caveat's text. */
      readonly caveat: string;
      /** A clause for an app's developer, such as `the request's path is "/export"`. */
      readonly reason: string;
    };

/** What is known of a request before its body is read. */
export interface RequestFacts {
  /** The service's own name. */
  readonly target: string;
  /** Without the query. */
  readonly path: string;
  readonly method: string;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/** What a request asks for, known once its body was read. */
export type JobFacts =
  | { readonly action: 'submit'; readonly data: DataFacts }
  | { readonly action: 'poll' | 'cancel'; readonly jobId: string };

interface DataFacts {
  /** Length of `data` in bytes of UTF-8. */
  readonly bytes: number;
  /** SHA-256 of these bytes in lower-case hex; asked for only where a caveat needs it. */
  readonly sha256Hex: () => string;
}

const satisfied: Verdict = { satisfied: true };

/** The caveats that can be judged before the body is read, and those that nothing satisfies. */
export function checkRequest(macaroon: VerifiedMacaroon, request: RequestFacts): Verdict {
  return check(macaroon, request, requestRefusal);
}

/** The caveats on what is asked for: `job`, `action` and, for a submission, `bytes` and `sha256`. */
export function checkJob(macaroon: VerifiedMacaroon, job: JobFacts): Verdict {
  return check(macaroon, job, jobRefusal);
}

/** The `destination` caveats. For a known id the destination is the stored job's. */
export function checkDestination(macaroon: VerifiedMacaroon, destination: Destination): Verdict {
  return check(macaroon, destination, destinationRefusal);
}

/**
 * From when on the macaroon is worthless (milliseconds since 1970), or `undefined` where it has no `time` caveat. A
 * job keeps this one number, to ask again before every attempt.
 */
export function expiresAtMs(macaroon: VerifiedMacaroon): number | undefined {
  let earliestMs = Infinity;
  for (const caveat of macaroon.caveats) {
    if (caveat.kind === 'time') earliestMs = Math.min(earliestMs, caveat.expiresAtMs);
  }
  return earliestMs === Infinity ? undefined : earliestMs;
}

/** Whether the macaroon restricts the destination at all. */
export function namesDestination(macaroon: VerifiedMacaroon): boolean {
  return macaroon.caveats.some((caveat) => caveat.kind === 'destination');
}

/** Why one caveat refuses the request, or `undefined` if it does not or another stage decides. */
export function requestRefusal(caveat: Predicate, request: RequestFacts): string | undefined {
  switch (caveat.kind) {
    case 'target':
      return caveat.name === request.target ? undefined : `this service's name is ${quote(request.target)}`;
    case 'path':
      return coversPath(caveat, request.path) ? undefined : `the request's path is ${quote(request.path)}`;
    case 'method':
      return isMethod(caveat, request.method)
        ? undefined
        : `the request's method is ${quote(request.method)}`;
    case 'time':
      return request.nowMs < caveat.expiresAtMs
        ? undefined
        : `the time is now ${new Date(request.nowMs).toISOString()}`;
    case 'unknown':
      return caveat.reason;
    case 'third-party':
      return 'this relay takes no discharge macaroons';
    case 'destination':
    case 'job':
    case 'action':
    case 'bytes':
    case 'sha256':
      return undefined;
  }
}

/** Why one caveat refuses what is asked for, or `undefined` if it does not or another stage decides. */
export function jobRefusal(caveat: Predicate, job: JobFacts): string | undefined {
  switch (caveat.kind) {
    case 'job':
      if (job.action === 'submit') return 'the request submits a new job';
      return job.jobId.toLowerCase() === caveat.jobId
        ? undefined
        : `the request is about the job ${quote(job.jobId)}`;
    case 'action':
      return caveat.actions.includes(job.action) ? undefined : `the request's action is ${quote(job.action)}`;
    case 'bytes':
    case 'sha256':
      return job.action === 'submit' ? dataRefusal(caveat, job.data) : undefined;
    case 'target':
    case 'path':
    case 'method':
    case 'time':
    case 'destination':
    case 'unknown':
    case 'third-party':
      return undefined;
  }
}

/** Why one caveat refuses the destination, or `undefined` if it does not or another stage decides. */
export function destinationRefusal(caveat: Predicate, destination: Destination): string | undefined {
  if (caveat.kind !== 'destination' || matchesPattern(caveat.pattern, destination)) return undefined;
  const why =
    caveat.pattern.endsWith('/*') && hasEncodedSlash(destination)
      ? ', and a /* never covers an encoded / or \\'
      : '';
  return `the destination is ${quote(destination.text)}${why}`;
}

/** Allocates nothing while all is well: polls come here by the thousand. */
function check<Facts>(
  macaroon: VerifiedMacaroon,
  facts: Facts,
  refusal: (caveat: Predicate, facts: Facts) => string | undefined,
): Verdict {
  for (const caveat of macaroon.caveats) {
    const reason = refusal(caveat, facts);
    if (reason !== undefined) return { satisfied: false, caveat: caveat.text, reason };
  }
  return satisfied;
}

function coversPath(caveat: Extract<Predicate, { kind: 'path' }>, path: string): boolean {
  return caveat.path === path || (caveat.prefix !== undefined && path.startsWith(caveat.prefix));
}

function isMethod(caveat: Extract<Predicate, { kind: 'method' }>, method: string): boolean {
  return caveat.method === method || caveat.method === method.toUpperCase();
}

function dataRefusal(
  caveat: Extract<Predicate, { kind: 'bytes' | 'sha256' }>,
  data: DataFacts,
): string | undefined {
  if (caveat.kind === 'bytes') {
    return data.bytes <= caveat.maxBytes ? undefined : `data is ${data.bytes} bytes long`;
  }
  const digestHex = data.sha256Hex();
  return digestHex === caveat.digestHex ? undefined : `data's SHA-256 is ${digestHex}`;
}

/** A client's text for a message: escaped, and cut before it drowns the sentence. */
function quote(text: string): string {
  const maxLength = 120;
  return text.length <= maxLength ? JSON.stringify(text) : `${JSON.stringify(text.slice(0, maxLength))}…`;
}
