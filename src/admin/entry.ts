import type { Destination } from '../egress/destination.js';
import type { Failure } from '../failure.js';
import { leftIn } from '../job/attempt_record.js';
import type { Job, JobResult } from '../job/job.js';
import type { Departure, ExportState, Outcome } from '../page/wire.js';
import type { Group } from './groups.js';

/**
 * One export or refusal as the record holds it. No payload, header, macaroon or answer, and of the uri nothing behind
 * its path: queries may hold tokens.
 */
export interface Entry {
  /** Rises with each entry that is opened. */
  readonly key: number;
  /** Rises with each entry that ends; 0 until then. */
  seq: number;
  readonly ref: string;
  readonly app: Group;
  readonly destination: Group;
  readonly path: string;
  readonly query: boolean;
  readonly purpose: string | undefined;
  readonly bytes: number;
  readonly createdAtMs: number;
  state: ExportState;
  outcome: Outcome | undefined;
  left: Departure;
  attempts: number;
  /** Whether the last attempt had a connection; true as well as long as that is not known. */
  connected: boolean;
  status: number | undefined;
  code: string | undefined;
  /** More exactly than the code: the rule of the policy, the kind of caveat, what broke a connection. */
  detail: string | undefined;
  endedAtMs: number | undefined;
  retryAtMs: number | undefined;
  times: number;
}

/** What is known of an entry from the first. */
export type Beginning = Pick<
  Entry,
  'key' | 'ref' | 'app' | 'destination' | 'path' | 'query' | 'purpose' | 'bytes' | 'createdAtMs'
>;

/** An entry as it begins. One literal with every member in it: an object that grows by members takes twice as much. */
export function beginEntry(from: Beginning): Entry {
  return {
    key: from.key,
    seq: 0,
    ref: from.ref,
    app: from.app,
    destination: from.destination,
    path: from.path,
    query: from.query,
    purpose: from.purpose,
    bytes: from.bytes,
    createdAtMs: from.createdAtMs,
    state: 'Pending',
    outcome: undefined,
    left: 'no',
    attempts: 0,
    connected: true,
    status: undefined,
    code: undefined,
    detail: undefined,
    endedAtMs: undefined,
    retryAtMs: undefined,
    times: 1,
  };
}

/** Longest texts that are kept, in UTF-16 code units; a purpose has at most 200 anyway. */
const maxPathLength = 200;
const maxNameLength = 200;

/** The path as it is shown: without its query, cut, and free of the (perhaps long) uri that it is a part of. */
export function pathOf({ path }: Destination): { readonly path: string; readonly query: boolean } {
  const end = path.indexOf('?');
  const bare = end === -1 ? path : path.slice(0, end);
  return { path: bare === '/' ? bare : detached(cut(bare, maxPathLength)), query: end !== -1 };
}

/** The name of an app or a destination as it is shown. */
export function nameOf(text: string): string {
  return cut(text, maxNameLength);
}

function cut(text: string, length: number): string {
  return text.length > length ? detached(`${text.slice(0, length - 1)}…`) : text;
}

/** A copy: the engine keeps the whole of a long text alive for a slice of it. */
export function detached(text: string): string {
  return Buffer.from(text).toString();
}

export function outcomeOf(result: JobResult): Outcome {
  if (result.kind === 'answered') {
    const { statusCode } = result.answer;
    return statusCode >= 200 && statusCode <= 299 ? 'delivered' : 'declined';
  }
  return result.error.code === 'cancelled' ? 'cancelled' : 'failed';
}

/**
 * Whether a job's data left, as far as the ends of its attempts tell. Of the last one more may be known: without a
 * connection it has sent nothing, whatever it ended with.
 */
export function departureOf(
  { attemptRecords }: Pick<Job, 'attemptRecords'>,
  { connected }: Pick<Entry, 'connected'>,
): Departure {
  const left = leftIn(connected ? attemptRecords : attemptRecords.slice(0, -1));
  return left === 'maybe' ? 'perhaps' : left;
}

/** What exactly a refusal was about: the rule of the policy, or the kind of caveat, whose value may be anything. */
export function detailOf(failure: Failure): string | undefined {
  if (failure.code === 'destination_refused') return failure.rule;
  if (failure.code !== 'caveat_not_satisfied') return undefined;
  return /^[a-z0-9]+/.exec(failure.caveat)?.[0].slice(0, 20);
}
