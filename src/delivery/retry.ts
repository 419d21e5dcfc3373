import type { AttemptErrorCode, AttemptOutcome } from './outcome.js';

/** Bounds of one job's attempts. */
export interface RetryLimits {
  /** Attempts in all. */
  readonly attempts: number;
  /** First attempt to Finished. */
  readonly jobTimeoutMs: number;
}

/** What is known when an attempt has ended. */
export interface AttemptEnd {
  readonly outcome: AttemptOutcome;
  /** Attempts charged to the destination so far, this one included. */
  readonly attempts: number;
  /** Since the first attempt began. */
  readonly elapsedMs: number;
  /** Wall clock, for a `Retry-After` that is a date. */
  readonly nowMs: number;
  /** Uniform in [0, 1). */
  readonly random: number;
}

export type NextStep = { readonly kind: 'finish' } | { readonly kind: 'retry'; readonly delayMs: number };

const baseDelayMs = 500;
const maxDelayMs = 30_000;

/** Statuses with which a server says "not now" (RFC 9110 section 15, RFC 8470 for 425). */
const transientStatuses: ReadonlySet<number> = new Set([408, 425, 429, 502, 503, 504]);

/** Errors after which the same request may well succeed; the rest would only repeat themselves. */
const transientErrors: ReadonlySet<AttemptErrorCode> = new Set([
  'connect_failed',
  'dns_failed',
  'timeout',
  'connection_reset',
]);

/**
 * Whether a job is tried again, and when: full jitter over 0.5 s · 2ⁿ, at most 30 s; `Retry-After` is honoured. A
 * delay that would end past the job timeout finishes the job now, with what it has.
 */
export function nextStep(end: AttemptEnd, limits: RetryLimits): NextStep {
  if (!isTransient(end.outcome) || end.attempts >= limits.attempts) return { kind: 'finish' };
  const jittered = end.random * Math.min(maxDelayMs, baseDelayMs * 2 ** (end.attempts - 1));
  const asked = end.outcome.kind === 'answered' ? end.outcome.answer.headers['retry-after'] : undefined;
  const delayMs = Math.round(Math.max(jittered, retryAfterMs(asked, end.nowMs) ?? 0));
  return end.elapsedMs + delayMs >= limits.jobTimeoutMs ? { kind: 'finish' } : { kind: 'retry', delayMs };
}

function isTransient(outcome: AttemptOutcome): boolean {
  return outcome.kind === 'answered'
    ? transientStatuses.has(outcome.answer.statusCode)
    : transientErrors.has(outcome.error.code);
}

/** `Retry-After` in either form, as a delay from now (RFC 9110 section 10.2.3); `undefined` if it is neither. */
export function retryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  // Only the HTTP-date form: Date.parse alone would take a bare year or "-5" for a date.
  if (!/^[A-Za-z]{3,9},? /.test(text)) return undefined;
  // The asctime form names no zone and means UTC.
  const atMs = Date.parse(/(?:GMT|UTC|[+-]\d{4})$/.test(text) ? text : `${text} GMT`);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}
