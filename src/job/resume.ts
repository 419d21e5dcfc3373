import { endRecord } from './attempt_record.js';
import type { Job, JobResult } from './job.js';

/** How often a stop of the relay may cut off attempts of one job before the relay gives it up. */
export const maxInterruptions = 3;

/** A job whose result has been there for `ageMs`. */
interface Kept {
  readonly kind: 'kept';
  readonly result: JobResult;
  readonly ageMs: number;
}

/** What becomes of a job that comes back without a result. */
export type Resumption =
  /** It has waited for its first attempt for `ageMs`. */
  | { readonly kind: 'queued'; readonly ageMs: number }
  /** Its next attempt is due in `delayMs`; the one that was cut off, if one was, is marked as such. */
  | { readonly kind: 'continued'; readonly job: Job; readonly delayMs: number }
  | { readonly kind: 'given_up'; readonly job: Job; readonly result: JobResult };

/** A job as it comes back, and what becomes of it. */
interface Returning<To> {
  readonly job: Job;
  readonly to: To;
}

export interface Resumptions {
  /** The one that ended first is the first. */
  readonly finished: readonly Returning<Kept>[];
  /** In the order of the jobs. */
  readonly unfinished: Returning<Resumption>[];
}

/** What becomes of jobs that come back after a stop, at `nowMs` (wall clock). */
export function resumptionsOf(jobs: readonly Job[], nowMs: number): Resumptions {
  const finished: Returning<Kept>[] = [];
  const unfinished: Returning<Resumption>[] = [];
  for (const job of jobs) {
    const to = resumptionOf(job, nowMs);
    if (to.kind === 'kept') finished.push({ job, to });
    else unfinished.push({ job, to });
  }
  return { finished: finished.sort((a, b) => b.to.ageMs - a.to.ageMs), unfinished };
}

/**
 * Only the wall clock knows how long the relay was away: ages are not negative, should it have been set back, and waits
 * no longer than they were.
 */
export function resumptionOf(job: Job, nowMs: number): Kept | Resumption {
  const { result, attemptRecords } = job;
  if (result !== undefined) return { kind: 'kept', result, ageMs: Math.max(0, nowMs - job.updatedAtMs) };
  const last = attemptRecords.at(-1);
  if (last === undefined) return { kind: 'queued', ageMs: Math.max(0, nowMs - job.createdAtMs) };
  if (last.endedAtMs !== undefined) {
    const delayMs = last.retryInMs ?? 0;
    const dueAtMs = last.endedAtMs + delayMs;
    return { kind: 'continued', job, delayMs: Math.min(delayMs, Math.max(0, dueAtMs - nowMs)) };
  }
  const marked = { ...job, attemptRecords: endRecord(attemptRecords, 'interrupted', nowMs, 0) };
  return interruptionsOf(marked) > maxInterruptions
    ? { kind: 'given_up', job: marked, result: interrupted }
    : { kind: 'continued', job: marked, delayMs: 0 };
}

/** Attempts that a stop of the relay cut off. They are not charged to the destination. */
export function interruptionsOf({ attemptRecords }: Job): number {
  return attemptRecords.reduce((count, { result }) => count + (result === 'interrupted' ? 1 : 0), 0);
}

/** The end of a job that no destination has ended. */
export const interrupted: JobResult = {
  kind: 'gave_up',
  error: {
    code: 'interrupted',
    message:
      'Stops of the relay cut off its attempts to deliver; whether the data arrived during one of them is not known.',
  },
};
