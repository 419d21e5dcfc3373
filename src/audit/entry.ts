import type { AttemptOutcome } from '../delivery/outcome.js';
import type { Destination } from '../egress/destination.js';
import { type Left, leftIn } from '../job/attempt_record.js';
import type { Job, JobId } from '../job/job.js';
import { type Members, sha256Hex } from './line.js';

/** What a line is about; the record adds its number and the hashes. */
export interface Entry {
  readonly kind: string;
  /** Wall clock. */
  readonly timeMs: number;
  readonly members: Members;
}

/** A job whose data leaves or has left, until its end is on record. */
export interface Departure {
  /** SHA-256 of the data, in hex. */
  readonly sha256: string;
  /** The line that says that it is leaving, once that is durable. */
  line: number | undefined;
  inFlight: boolean;
  /** Whether any attempt so far brought the data to the destination. */
  left: Left;
  /** Those that were connected to, the last one last. */
  readonly addresses: string[];
  /** Of the last attempt without an answer: what the app does not learn. */
  reason: string | undefined;
}

/** A submission that was not permitted, as whoever refuses it reports it. */
export interface Refusal {
  readonly owner: string;
  readonly destination: Destination;
  readonly purpose: string | undefined;
  readonly dataBytes: number;
  /** Hex; computed when it is asked for. */
  readonly dataSha256: () => string;
  readonly failure: { readonly code: string; readonly rule?: string };
}

const maxOwnerLength = 256;
const maxDestinationLength = 300;
const maxPurposeLength = 400;
const maxReasonLength = 100;
const maxAddresses = 8;

/** Of a job whose next attempt begins. Those before it may have been made by an earlier run. */
export function departureOf(job: Job): Departure {
  return {
    sha256: sha256Hex(job.data),
    line: undefined,
    inFlight: false,
    left: leftIn(job.attemptRecords.slice(0, -1)),
    addresses: [],
    reason: undefined,
  };
}

/** Notes how an attempt ended. */
export function noteAttempt(departure: Departure, outcome: AttemptOutcome): void {
  const { address } = outcome;
  departure.inFlight = false;
  departure.reason = outcome.kind === 'failed' ? outcome.error.internal : undefined;
  if (outcome.kind === 'answered') departure.left = 'yes';
  else if (address !== undefined && departure.left === 'no') departure.left = 'maybe';
  if (address === undefined) return;
  const known = departure.addresses.indexOf(address);
  if (known !== -1) departure.addresses.splice(known, 1);
  departure.addresses.push(address);
  if (departure.addresses.length > maxAddresses) departure.addresses.shift();
}

/** Durable before the first byte of a job leaves. */
export function leavingEntry(job: Job, { sha256 }: Departure, timeMs: number): Entry {
  return { kind: 'leaving', timeMs, members: { ...about(job), sha256, attempt: job.attempts } };
}

/** The end of a job of which an attempt was begun; durable before the app can read it. */
export function exportEntry(job: Job, departure: Partial<Departure>, timeMs: number): Entry {
  const { result } = job;
  const answered = result?.kind === 'answered';
  const { sha256, addresses = [], left = answered ? 'yes' : 'maybe', inFlight = false } = departure;
  const error = result?.kind === 'gave_up' ? result.error : undefined;
  return {
    kind: 'export',
    timeMs,
    members: {
      ...about(job),
      sha256,
      attempts: job.attempts,
      status: answered ? result.answer.statusCode : undefined,
      code: error?.code,
      reason: error === undefined ? undefined : bounded(departure.reason, maxReasonLength),
      left: inFlight && left === 'no' ? 'maybe' : left,
      address: addresses.at(-1),
      other_addresses: addresses.length > 1 ? addresses.slice(0, -1) : undefined,
    },
  };
}

/** A refused submission. */
export function refusedEntry(refusal: Refusal, timeMs: number): Entry {
  const { failure, dataSha256 } = refusal;
  const members = { ...about(refusal), sha256: dataSha256(), code: failure.code, rule: failure.rule };
  return { kind: 'refused', timeMs, members };
}

/** The relay stopped, however it did, before the end of a job was known. */
export function unfinishedEntry(job: JobId | string, line: number | undefined, timeMs: number): Entry {
  return { kind: 'unfinished', timeMs, members: { job, line } };
}

interface Subject {
  readonly id?: JobId;
  readonly owner: string;
  readonly destination: Destination;
  readonly purpose: string | undefined;
  readonly dataBytes: number;
}

/**
 * Of the destination, the origin: a path or a query may hold a key, or data. The hash of the whole (normalised) URL
 * lets whoever knows it tell that this was the one.
 */
function about({ id, owner, destination, purpose, dataBytes }: Subject): Members {
  return {
    job: id,
    owner: bounded(owner, maxOwnerLength),
    destination: bounded(destination.origin, maxDestinationLength),
    uri_sha256: sha256Hex(destination.href),
    purpose: bounded(purpose, maxPurposeLength),
    bytes: dataBytes,
  };
}

/** A text cut to a length; what was cut is told apart by the beginning of the whole text's hash. */
export function bounded<Text extends string | undefined>(text: Text, maxLength: number): Text | string {
  if (text === undefined || text.length <= maxLength) return text;
  return `${text.slice(0, maxLength)}… (sha256 ${sha256Hex(text).slice(0, 16)})`;
}
