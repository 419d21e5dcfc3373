import type { Destination } from '../egress/destination.js';
import { destinationRefusal, jobRefusal, requestRefusal } from './caveats.js';
import type { Predicate } from './predicate.js';

/** A request as far as it was described; whatever is left open leaves the caveats about it open. */
export interface DescribedRequest {
  readonly target: string | undefined;
  readonly path: string | undefined;
  readonly method: string | undefined;
  readonly destination: Destination | undefined;
  readonly action: 'submit' | 'poll' | 'cancel' | undefined;
  readonly jobId: string | undefined;
  /** Length of `data` in bytes of UTF-8. */
  readonly bytes: number | undefined;
  /** SHA-256 of `data` in lower-case hex. */
  readonly sha256Hex: string | undefined;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/** What the description lacks for a caveat to be judged. */
export type Missing = 'target' | 'path' | 'method' | 'destination' | 'action' | 'job' | 'bytes' | 'data';

/** Whether a request satisfies one caveat, and if it cannot be told, for want of what. */
export type Fit =
  | { readonly kind: 'satisfied' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'open'; readonly missing: Missing };

/** Judges as the relay does: by the same functions, each asked only once what it looks at is known. */
export function fitOf(caveat: Predicate, asked: DescribedRequest): Fit {
  switch (caveat.kind) {
    case 'target':
    case 'path':
    case 'method':
      if (asked[caveat.kind] === undefined) return { kind: 'open', missing: caveat.kind };
      return fitOfRequest(caveat, asked);
    case 'time':
    case 'unknown':
    case 'third-party':
      return fitOfRequest(caveat, asked);
    case 'destination':
      if (asked.destination === undefined) return { kind: 'open', missing: 'destination' };
      return fit(destinationRefusal(caveat, asked.destination));
    case 'action':
      if (asked.action === undefined) return { kind: 'open', missing: 'action' };
      return fitOfJob(caveat, asked);
    case 'job':
      if (asked.action !== 'submit' && asked.jobId === undefined) return { kind: 'open', missing: 'job' };
      return fitOfJob(caveat, asked);
    case 'bytes':
      if (isSubmission(asked) && asked.bytes === undefined) return { kind: 'open', missing: 'bytes' };
      return fitOfJob(caveat, asked);
    case 'sha256':
      if (isSubmission(asked) && asked.sha256Hex === undefined) return { kind: 'open', missing: 'data' };
      return fitOfJob(caveat, asked);
  }
}

/** Where nothing says what is wanted, an id is asked about, and data is submitted. */
function isSubmission({ action, jobId }: DescribedRequest): boolean {
  return action === undefined ? jobId === undefined : action === 'submit';
}

function fitOfRequest(
  caveat: Predicate,
  { target = '', path = '', method = '', nowMs }: DescribedRequest,
): Fit {
  return fit(requestRefusal(caveat, { target, path, method, nowMs }));
}

function fitOfJob(caveat: Predicate, asked: DescribedRequest): Fit {
  const { action, jobId = '', bytes = 0, sha256Hex = '' } = asked;
  if (isSubmission(asked)) {
    return fit(jobRefusal(caveat, { action: 'submit', data: { bytes, sha256Hex: () => sha256Hex } }));
  }
  return fit(jobRefusal(caveat, { action: action === 'cancel' ? 'cancel' : 'poll', jobId }));
}

function fit(reason: string | undefined): Fit {
  return reason === undefined ? { kind: 'satisfied' } : { kind: 'refused', reason };
}
