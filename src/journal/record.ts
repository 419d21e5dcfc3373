import type { ParsedDestination } from '../egress/destination.js';
import { type Job, type JobId, type JobResult, type JobState, jobErrorCodes } from '../job/job.js';
import { type Traceparent, parseTraceparent } from '../trace_context.js';
import { Members, RecordFault } from './members.js';

/** A job and where it stands among the others: they come back in the order in which they were first put. */
export interface Ordered {
  readonly job: Job;
  readonly order: number;
}

/** Takes a record of one version to the next. */
type Upgrade = (record: Readonly<Record<string, unknown>>) => Record<string, unknown>;

/** Which records are written and which can be read. */
export interface Schema {
  /** Written into every segment; a relay refuses a journal of a version above its own. */
  readonly version: number;
  /** By the version that each of them reads. */
  readonly upgrades: ReadonlyMap<number, Upgrade>;
}

/**
 * The records of this release. A change that an older release cannot read raises the version and adds an upgrade;
 * a record with a member that is not known here is taken for a newer one as well, rather than read in part.
 */
export const currentSchema: Schema = { version: 1, upgrades: new Map() };

export type DecodedRecord =
  | { readonly ok: true; readonly stored: Ordered }
  | { readonly ok: false; readonly newer: boolean; readonly reason: string };

/** The parts of a job that a record carries; the compiler wants a new member of `Job` to be added here. */
type Recorded = Record<Exclude<keyof Job, 'id' | 'data'> | 'order', unknown>;

/** Everything but the id and the data, which have places of their own in the journal. */
export function encodeRecord({ job, order }: Ordered): string {
  const record = {
    order,
    owner: job.owner,
    destination: job.destination.text,
    dataBytes: job.dataBytes,
    headers: job.headers,
    purpose: job.purpose,
    idempotency: job.idempotency,
    traceparent: job.traceparent,
    expiresAtMs: job.expiresAtMs,
    state: job.state,
    version: job.version,
    attempts: job.attempts,
    attemptRecords: job.attemptRecords,
    createdAtMs: job.createdAtMs,
    updatedAtMs: job.updatedAtMs,
    result: job.result,
  } satisfies Recorded;
  return JSON.stringify(record);
}

/** What a record was read from. */
export interface RecordSource {
  readonly id: JobId;
  /** Of the segment it lies in. */
  readonly version: number;
  readonly record: string;
  /** What is delivered; empty for a Finished job. */
  readonly data: string;
}

/**
 * The job of a record. The destination is parsed anew, by the rules of today: what they no longer accept is not
 * delivered to.
 */
export function decodeRecord(
  { id, version, record, data }: RecordSource,
  schema: Schema,
  parseDestination: (text: string) => ParsedDestination,
): DecodedRecord {
  try {
    const members = new Members(upgraded(JSON.parse(record), version, schema), 'record');
    const stored = {
      order: members.count('order'),
      job: decodeJob(id, data, members, parseDestination),
    };
    members.end();
    return { ok: true, stored };
  } catch (error) {
    if (error instanceof RecordFault) return { ok: false, newer: error.newer, reason: error.message };
    if (error instanceof SyntaxError) return { ok: false, newer: false, reason: 'record is not JSON' };
    throw error;
  }
}

/** Whether records of a version can be read. */
export function isReadable(version: number, { version: current, upgrades }: Schema): boolean {
  for (let at = version; at < current; at += 1) if (!upgrades.has(at)) return false;
  return version <= current;
}

function upgraded(raw: unknown, version: number, schema: Schema): unknown {
  let record = raw;
  for (let at = version; at < schema.version; at += 1) {
    if (typeof record !== 'object' || record === null) throw new RecordFault('record is not an object');
    record = schema.upgrades.get(at)?.({ ...record });
  }
  return record;
}

const states = { Pending: true, Processing: true, Finished: true } satisfies Record<JobState, true>;

function decodeJob(
  id: JobId,
  data: string,
  members: Members,
  parseDestination: (text: string) => ParsedDestination,
): Job {
  const parsed = parseDestination(members.text('destination'));
  if (!parsed.ok) throw new RecordFault(`record.destination ${parsed.reason}`);
  const result = members.has('result') ? decodeResult(members.object('result')) : undefined;
  const job: Job = {
    id,
    owner: members.text('owner'),
    destination: parsed.destination,
    data,
    dataBytes: members.count('dataBytes'),
    headers: members.list('headers', (header) => [header.text('0'), header.text('1')] as const),
    purpose: members.has('purpose') ? members.text('purpose') : undefined,
    idempotency: members.has('idempotency') ? decodeIdempotency(members.object('idempotency')) : undefined,
    traceparent: members.has('traceparent') ? decodeTraceparent(members.text('traceparent')) : undefined,
    expiresAtMs: optionalTime(members, 'expiresAtMs'),
    state: members.oneOf('state', states),
    version: members.count('version'),
    attempts: members.count('attempts'),
    attemptRecords: members.list('attemptRecords', decodeAttempt),
    createdAtMs: members.time('createdAtMs'),
    updatedAtMs: members.time('updatedAtMs'),
    ...(result === undefined ? {} : { result }),
  };
  const finished = job.state === 'Finished';
  if (finished !== (result !== undefined)) throw new RecordFault('record.result does not go with its state');
  if (Buffer.byteLength(data) !== (finished ? 0 : job.dataBytes)) {
    throw new RecordFault('record.dataBytes is not the size of its data');
  }
  return job;
}

function decodeTraceparent(text: string): Traceparent {
  const traceparent = parseTraceparent(text);
  if (traceparent === undefined) throw new RecordFault('record.traceparent is not one');
  return traceparent;
}

function optionalTime(members: Members, name: string): number | undefined {
  return members.has(name) ? members.time(name) : undefined;
}

function decodeIdempotency(members: Members): NonNullable<Job['idempotency']> {
  const idempotency = { key: members.text('key'), dataDigest: members.text('dataDigest') };
  members.end();
  return idempotency;
}

function decodeAttempt(members: Members): Job['attemptRecords'][number] {
  return {
    begunAtMs: members.time('begunAtMs'),
    endedAtMs: optionalTime(members, 'endedAtMs'),
    result: members.has('result') ? members.countOrOneOf('result', jobErrorCodes) : undefined,
    retryInMs: optionalTime(members, 'retryInMs'),
  };
}

function decodeResult(members: Members): JobResult {
  const kind = members.oneOf('kind', { answered: true, gave_up: true });
  const result: JobResult =
    kind === 'answered'
      ? { kind, answer: decodeAnswer(members.object('answer')) }
      : { kind, error: decodeError(members.object('error')) };
  members.end();
  return result;
}

type Answer = Extract<JobResult, { kind: 'answered' }>['answer'];

function decodeAnswer(members: Members): Answer {
  const answer: Answer = {
    statusCode: members.count('statusCode'),
    headers: members.object('headers').texts(),
    body: members.text('body'),
    encoding: members.oneOf('encoding', { 'utf-8': true, 'base64': true }),
    truncated: members.flag('truncated'),
  };
  members.end();
  return answer;
}

function decodeError(members: Members): Extract<JobResult, { kind: 'gave_up' }>['error'] {
  const error = { code: members.oneOf('code', jobErrorCodes), message: members.text('message') };
  members.end();
  return error;
}
