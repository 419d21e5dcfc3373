import type { Outcome } from './transport.js';

/** What is known when an attempt has gone wrong. */
export interface RetryFacts {
  /** Attempts in a row that went wrong, this one included. */
  readonly failures: number;
  /** How long the relay has not answered at all, in ms; 0 if it has. */
  readonly outageMs: number;
  /** How long the call may take from now on, in ms. */
  readonly remainingMs: number;
  /** How long the relay may be out of reach, in ms. */
  readonly maxOutageMs: number;
  /** Uniform in [0, 1). */
  readonly random: number;
}

export type RetryVerdict = { readonly retry: true; readonly delayMs: number } | { readonly retry: false };

const noMore: RetryVerdict = { retry: false };

const firstDelayMs = 250;
const maxDelayMs = 5000;

/**
 * Whether to ask again, and when. 429 and 503 are the relay's own wish to be asked later; 408, 502 and 504 come from
 * something before it and, like broken connections, are borne only for so long.
 */
export function judgeRetry(outcome: Exclude<Outcome, { kind: 'answer' }>, facts: RetryFacts): RetryVerdict {
  const busy = outcome.kind === 'problem' && isBusy(outcome.problem.status);
  if (!busy && !isOutage(outcome)) return noMore;
  if (!busy && facts.outageMs >= facts.maxOutageMs) return noMore;
  const suggestedMs = outcome.kind === 'problem' ? outcome.retryAfterMs : undefined;
  const delayMs =
    suggestedMs === undefined ? backOffMs(facts) : suggestedMs + facts.random * spreadMs(suggestedMs);
  // To wait only to be told that the time is over would hide what the relay said.
  return delayMs < facts.remainingMs ? { retry: true, delayMs } : noMore;
}

/** Whether the relay, or what stands before it, did not get to the request; not whether it did nothing. */
export function isOutage(outcome: Outcome): boolean {
  return (
    outcome.kind === 'broken' ||
    (outcome.kind === 'problem' && [408, 502, 504].includes(outcome.problem.status))
  );
}

/** Doubles from 250 ms to 5 s; half of it is left to chance, so that many clients do not come back together. */
export function backOffMs({ failures, random }: Pick<RetryFacts, 'failures' | 'random'>): number {
  const ceilingMs = Math.min(firstDelayMs * 2 ** (failures - 1), maxDelayMs);
  return ceilingMs / 2 + (random * ceilingMs) / 2;
}

/** `Retry-After` of RFC 9110, 10.2.3, in ms from now: seconds, or a date. Never less than a tenth of a second. */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  const isDate = /^[A-Z][a-z]{2,8}, /.test(text);
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : isDate ? Date.parse(text) - nowMs : NaN;
  return Number.isNaN(ms) ? undefined : Math.max(ms, 100);
}

function isBusy(status: number): boolean {
  return status === 429 || status === 503;
}

/** On top of what was suggested, since all who wait were told the same. */
function spreadMs(suggestedMs: number): number {
  return Math.min(suggestedMs / 4, 1000);
}
