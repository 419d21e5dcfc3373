import { createHash, randomUUID } from 'node:crypto';
import type { CustomHeaders } from '../delivery/headers.js';
import type { AttemptErrorCode, DestinationAnswer } from '../delivery/outcome.js';
import type { Destination } from '../egress/destination.js';
import type { Traceparent } from '../trace_context.js';
import { type AttemptRecord, type AttemptResult, beginRecord, endRecord } from './attempt_record.js';

export type { CustomHeaders };

/**
 * The states of a job. Every arrow makes the version grow by one; nothing else does. (An attempt's end after which
 * another one follows is no arrow: the record of attempts has it, and readers see it with the next change.)
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

/** All of them, for who reads them from elsewhere or counts them. */
export const jobErrorCodes = {
  connect_failed: true,
  dns_failed: true,
  tls_failed: true,
  timeout: true,
  connection_reset: true,
  bad_response: true,
  destination_refused: true,
  cancelled: true,
  expired: true,
  interrupted: true,
} as const satisfies Record<JobErrorCode, true>;

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
  /** Sent with the data, and let go with it. */
  readonly headers: CustomHeaders;
  /** Why the data leaves, in the app's words. */
  readonly purpose: string | undefined;
  /** Present if the job was submitted with a key: what tells a repetition from other data under the same key. */
  readonly idempotency: Idempotency | undefined;
  /** The trace it was submitted in, if any: each attempt becomes a span of it. */
  readonly traceparent: Traceparent | undefined;
  /** Wall clock; no attempt begins at or after it (the macaroon's `time` caveat). */
  readonly expiresAtMs: number | undefined;
  readonly state: JobState;
  /** Starts at 1. */
  readonly version: number;
  /** Attempts started so far. */
  readonly attempts: number;
  /** One record for each of these, in order. */
  readonly attemptRecords: readonly AttemptRecord[];
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** Present exactly when Finished. */
  readonly result?: JobResult;
}

/** A client's `Idempotency-Key`, and the SHA-256 of the data it came with (base64): the data itself does not last. */
interface Idempotency {
  readonly key: string;
  readonly dataDigest: string;
}

/** What a new job is made of. */
export interface NewJob {
  readonly owner: string;
  readonly destination: Destination;
  readonly data: string;
  readonly dataBytes: number;
  readonly headers?: CustomHeaders | undefined;
  readonly purpose?: string | undefined;
  /** At most one job has it, per owner and normalised uri, as long as that job is kept. */
  readonly idempotencyKey?: string | undefined;
  readonly traceparent?: Traceparent | undefined;
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

export function newJobId(): JobId {
  const id = parseJobId(randomUUID());
  if (id === undefined) throw new Error('randomUUID gave no UUID v4');
  return id;
}

interface Laned {
  readonly owner: string;
  readonly destination: Destination;
}

/** The lane asked for last: one job asks several times, and one text is hashed once. */
let latest = { owner: '', origin: '', lane: '\n' };

/** Jobs of one lane are delivered in the order they were accepted; lanes take turns. */
export function laneOf({ owner, destination: { origin } }: Laned): string {
  if (latest.origin !== origin || latest.owner !== owner) {
    latest = { owner, origin, lane: `${owner}\n${origin}` };
  }
  return latest.lane;
}

/** Shared by all jobs that have none: most jobs, and all that have not begun. */
const none: readonly never[] = [];

export function createJob(id: JobId, from: NewJob, nowMs: number): Job {
  const { idempotencyKey: key } = from;
  return {
    id,
    owner: from.owner,
    destination: from.destination,
    data: from.data,
    dataBytes: from.dataBytes,
    headers: from.headers ?? none,
    purpose: from.purpose,
    idempotency: key === undefined ? undefined : { key, dataDigest: digestOf(from.data) },
    traceparent: from.traceparent,
    expiresAtMs: from.expiresAtMs,
    state: 'Pending',
    version: 1,
    attempts: 0,
    attemptRecords: none,
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
    attemptRecords: [...job.attemptRecords, beginRecord(nowMs)],
    version: job.version + 1,
    updatedAtMs: nowMs,
  };
}

/** The job after an attempt that another one will follow: no change of state, only something to tell. */
export function endAttempt(job: Job, end: AttemptResult, nowMs: number, retryInMs: number): Job {
  return { ...job, attemptRecords: endRecord(job.attemptRecords, end, nowMs, retryInMs) };
}

/** The job at its end. Data and headers have no further use and are let go. */
export function finish(job: Job, result: JobResult, nowMs: number): Job {
  assertLegal(job, 'Finished');
  return {
    ...job,
    state: 'Finished',
    data: '',
    headers: none,
    attemptRecords: endRecord(job.attemptRecords, attemptResultOf(result), nowMs),
    version: job.version + 1,
    updatedAtMs: nowMs,
    result,
  };
}

/** How an attempt that was in flight when the job ended has ended itself. */
function attemptResultOf(result: JobResult): AttemptResult {
  return result.kind === 'answered' ? result.answer.statusCode : result.error.code;
}

/** SHA-256, in base64. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

export function isLegalTransition(from: JobState, to: JobState): boolean {
  return successors[from].includes(to);
}

function assertLegal(job: Job, to: JobState): void {
  if (!isLegalTransition(job.state, to)) {
    throw new Error(`illegal transition of job ${job.id}: ${job.state} → ${to}`);
  }
}
