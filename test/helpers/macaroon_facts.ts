import { type Destination, parseDestination } from '#relay/egress/destination.js';
import type { JobFacts, RequestFacts, Verdict } from '#relay/macaroon/caveats.js';

export const uuid = '5c0e1a52-7d35-4c5a-9d0f-2a4c7b8d9e10';
export const otherUuid = '5c0e1a52-7d35-4c5a-9d0f-2a4c7b8d9e11';
export const digest = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

export const request: RequestFacts = {
  target: 'export-service',
  path: '/lp/export',
  method: 'POST',
  nowMs: Date.parse('2026-01-01T00:00:00Z'),
};
export const submission: JobFacts = { action: 'submit', data: { bytes: 12, sha256Hex: () => digest } };
export const poll: JobFacts = { action: 'poll', jobId: uuid };
export const cancellation: JobFacts = { action: 'cancel', jobId: uuid };

/** One caveat against one request. */
export interface Row<Facts> {
  readonly caveat: string;
  readonly facts?: Facts;
  /** `undefined` where the caveat is satisfied. */
  readonly refusal: string | undefined;
  readonly why: string;
}

/** What a check answers where `caveat` is refused for `reason`, or where nothing is. */
export function verdict(caveat: string, reason: string | undefined): Verdict {
  return reason === undefined ? { satisfied: true } : { satisfied: false, caveat, reason };
}

/** A uri as the relay parses it; throws where it is invalid. */
export function destination(uri: string): Destination {
  const parsed = parseDestination(uri);
  if (!parsed.ok) throw new Error(`${uri} ${parsed.reason}`);
  return parsed.destination;
}
