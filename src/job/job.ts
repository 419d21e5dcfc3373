import type { AttemptErrorCode, DestinationAnswer } from '../delivery/outcome.js';
import type { Destination } from '../egress/destination.js';

/**
 * The states of a job. Every arrow makes the version grow by one; nothing else does.
 *
 * ```
 *                start                 finish
 *   Pending ──────────────► Processing ──────────► Finished
 *      │                      │    ▲                  ▲
 *      │                      └────┘ start (retry)    │
 *      └──────────── finish (cancelled, expired) ─────┘
 * ```
 */
export type JobState = 'Pending' | 'Processing' | 'Finished';

const successors: Readonly<Record<JobState, readonly JobState[]>> = {
  Pending: ['Processing', 'Finished'],
  Processing: ['Processing', 'Finished'],
  Finished: [],
};

/** A UUID v4 in lower case. Knowing one is half of what opens a job, so ids are random and never listed. */
export type JobId = string & { readonly __jobId: unique symbol };

/** Why a job ended without an answer: an attempt's error, or one of the relay's own. */
export type JobErrorCode = AttemptErrorCode | 'expired' | 'interrupted';

interface JobError {
  readonly code: JobErrorCode;
  readonly message: string;
}

export type JobResult =
  | { readonly kind: 'answered'; readonly answer: DestinationAnswer }
  | { readonly kind: 'gave_up'; readonly error: JobError };

/** One export, as a value: each transition makes a new one. */
export interface Job {
  readonly id: JobId;
  /** Identifier of the macaroon that submitted it; often empty. */
  readonly owner: string;
  readonly destination: Destination;
  /** What is delivered, byte for byte; empty once the job is Finished. */
  readonly data: string;
  /** Size of `data` in UTF-8. */
  readonly dataBytes: number;
  /** Wall clock; no attempt begins at or after it (the macaroon's `time` caveat). */
  readonly expiresAtMs: number | undefined;
  readonly state: JobState;
  /** Starts at 1. */
  readonly version: number;
  /** Attempts started so far. */
  readonly attempts: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** Present exactly when Finished. */
  readonly result?: JobResult;
}

/** What a new job is made of. */
export interface NewJob {
  readonly owner: string;
  readonly destination: Destination;
  readonly data: string;
  readonly dataBytes: number;
  readonly expiresAtMs: number | undefined;
}

const uuidV4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export function isJobId(text: string): text is JobId {
  return uuidV4.test(text);
}

/** The id in a client's spelling (case ignored), or `undefined` for what no job can be called. */
export function parseJobId(text: string): JobId | undefined {
  if (text.length !== 36) return undefined;
  const id = text.toLowerCase();
  return isJobId(id) ? id : undefined;
}

/** Jobs of one lane are delivered in the order they were accepted; lanes take turns. */
export function laneOf(job: { readonly owner: string; readonly destination: Destination }): string {
  return `${job.owner}\n${job.destination.origin}`;
}

export function createJob(id: JobId, from: NewJob, nowMs: number): Job {
  return {
    id,
    owner: from.owner,
    destination: from.destination,
    data: from.data,
    dataBytes: from.dataBytes,
    expiresAtMs: from.expiresAtMs,
    state: 'Pending',
    version: 1,
    attempts: 0,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
}

/** The job as its next attempt begins. */
export function startAttempt(job: Job, nowMs: number): Job {
  assertLegal(job, 'Processing');
  return {
    ...job,
    state: 'Processing',
    attempts: job.attempts + 1,
    version: job.version + 1,
    updatedAtMs: nowMs,
  };
}

/** The job at its end. The data has no further use and is let go. */
export function finish(job: Job, result: JobResult, nowMs: number): Job {
  assertLegal(job, 'Finished');
  return { ...job, state: 'Finished', data: '', version: job.version + 1, updatedAtMs: nowMs, result };
}

export function isLegalTransition(from: JobState, to: JobState): boolean {
  return successors[from].includes(to);
}

function assertLegal(job: Job, to: JobState): void {
  if (!isLegalTransition(job.state, to)) {
    throw new Error(`illegal transition of job ${job.id}: ${job.state} → ${to}`);
  }
}
