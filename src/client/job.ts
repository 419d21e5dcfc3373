import { DestinationAnswer } from './answer.js';
import { isObject, textMember } from './problem.js';

/** One step that a job took. */
export interface JobEvent {
  /** RFC 3339. */
  readonly at: string;
  readonly state: string;
  readonly attempt?: number;
  readonly detail?: string;
}

/** Why the relay gave up. */
export interface JobError {
  /** Such as `timeout`, `dns_failed` or `cancelled`. */
  readonly code: string;
  readonly message: string;
  readonly attempts: number;
}

interface JobBase {
  /** Opens the job, together with a macaroon that covers its destination. */
  readonly id: string;
  /** Grows with every change; undefined where an older relay did not say. */
  readonly version: number | undefined;
  /** Deliveries begun so far. */
  readonly attempts: number;
  /** RFC 3339; empty where an older relay did not say. */
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Every step so far, where they were asked for. */
  readonly events: readonly JobEvent[] | undefined;
  /** The job as the relay wrote it. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** A job that has not come to its end. */
export interface UnfinishedJob extends JobBase {
  readonly state: 'Pending' | 'Processing';
}

/** A job whose destination answered, whatever it said. */
export interface AnsweredJob extends JobBase {
  readonly state: 'Finished';
  readonly answer: DestinationAnswer;
  readonly error?: undefined;
}

/** A job that the relay gave up. */
export interface FailedJob extends JobBase {
  readonly state: 'Finished';
  readonly answer?: undefined;
  readonly error: JobError;
}

export type FinishedJob = AnsweredJob | FailedJob;

/** One export, as the relay last told of it. */
export type Job = UnfinishedJob | FinishedJob;

/** Reads a job; `undefined` for what is none. What an older relay leaves out is made up for. */
export function readJob(
  raw: Readonly<Record<string, unknown>>,
  version: number | undefined,
): Job | undefined {
  const { id, state, ext_response: response, attempts } = raw;
  if (typeof id !== 'string' || id === '') return undefined;
  const base: JobBase = {
    id,
    version,
    attempts: typeof attempts === 'number' ? attempts : 0,
    createdAt: textMember(raw, 'created_at') ?? '',
    updatedAt: textMember(raw, 'updated_at') ?? '',
    events: readEvents(raw['events']),
    raw,
  };
  if (state === 'Pending' || state === 'Processing') return { ...base, state };
  if (state !== 'Finished' || !isObject(response)) return undefined;
  const error = readError(response['error']);
  if (error !== undefined) return { ...base, state, error };
  return { ...base, state, answer: new DestinationAnswer(response) };
}

/** The version in an entity tag. */
export function versionOf(tag: string | null): number | undefined {
  const digits = /^(?:W\/)?"(\d{1,15})"$/.exec(tag ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function readError(value: unknown): JobError | undefined {
  if (!isObject(value)) return undefined;
  const { attempts } = value;
  return {
    code: textMember(value, 'code') ?? 'unknown',
    message: textMember(value, 'message') ?? 'The relay gave no reason.',
    attempts: typeof attempts === 'number' ? attempts : 0,
  };
}

function readEvents(value: unknown): readonly JobEvent[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.filter(isObject).map((event) => {
    const { attempt } = event;
    const detail = textMember(event, 'detail');
    return {
      at: textMember(event, 'at') ?? '',
      state: textMember(event, 'state') ?? '',
      ...(typeof attempt === 'number' ? { attempt } : {}),
      ...(detail === undefined ? {} : { detail }),
    };
  });
}
