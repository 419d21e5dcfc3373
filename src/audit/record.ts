import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { AttemptOutcome } from '../delivery/outcome.js';
import type { Job, JobId } from '../job/job.js';
import type { Head } from './composer.js';
import {
  type Departure,
  departureOf,
  type Entry,
  exportEntry,
  leavingEntry,
  noteAttempt,
  type Refusal,
  unfinishedEntry,
} from './entry.js';
import { RecordFiles } from './files.js';
import type { SigningKey } from './keys.js';
import type { Storage } from '../journal/storage.js';
import { type Pending, RecordLog } from './log.js';
import type { Recovered } from './recover.js';
import { Refusals } from './refusals.js';

export interface RecordOptions {
  readonly clock: Clock;
  readonly key: SigningKey;
  readonly storage: Storage;
  /** The file's name in the storage. */
  readonly name: string;
  /** A file that is this long is followed by another. */
  readonly maxFileBytes: number;
  /** Of the relay. */
  readonly version: string;
  readonly onOutage: (code: string | undefined) => void;
}

/** Jobs in one line of a file's beginning. */
const jobsPerLine = 50;

/** An open record: what the relay tells it, as lines. See `Audit`. */
export class AuditRecord {
  readonly #options: RecordOptions;
  readonly #log: RecordLog;
  readonly #refusals: Refusals;
  readonly #departures = new Map<JobId, Departure>();
  /** Data of jobs that an earlier run left unfinished, and that may go on in this one. */
  readonly #interrupted = new Map<string, string | undefined>();
  #closing: Promise<void> | undefined;

  constructor(options: RecordOptions, recovered: Recovered) {
    const { clock } = options;
    this.#options = options;
    this.#log = new RecordLog({
      ...options,
      files: new RecordFiles(options, recovered),
      head: recovered.head,
      recordId: recovered.recordId ?? randomBytes(16).toString('hex'),
      carried: () => this.#carried(),
    });
    this.#refusals = new Refusals({
      clock,
      write: (entry) => this.#write(entry),
      writable: () => this.writable,
    });
    this.#begin(recovered);
  }

  get writable(): boolean {
    return this.#log.writable;
  }

  get head(): Head {
    return this.#log.head;
  }

  /** Jobs that are leaving and whose end is not on record yet. */
  get unfinished(): number {
    return this.#departures.size;
  }

  leaving(job: Job, signal: AbortSignal): Promise<'recorded' | 'aborted'> {
    if (signal.aborted) return Promise.resolve('aborted');
    const known = this.#departures.get(job.id);
    if (known?.line !== undefined && this.writable) {
      known.inFlight = true;
      return Promise.resolve('recorded');
    }
    const departure = known ?? departureOf(job);
    const entry = known === undefined ? leavingEntry(job, departure, this.#nowMs()) : undefined;
    this.#departures.set(job.id, departure);
    return new Promise((resolve) => {
      const pending: Pending = {
        entry,
        done: (seq) => {
          signal.removeEventListener('abort', abort);
          if (entry !== undefined) departure.line = seq;
          departure.inFlight = pending.withdrawn !== true;
          resolve(pending.withdrawn === true ? 'aborted' : 'recorded');
        },
        lost: () => resolve('aborted'),
      };
      const abort = (): void => {
        pending.withdrawn = true;
        if (entry !== undefined && pending.taken !== true) this.#departures.delete(job.id);
        resolve('aborted');
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#log.write(pending);
    });
  }

  attempted(id: JobId, outcome: AttemptOutcome): void {
    const departure = this.#departures.get(id);
    if (departure !== undefined) noteAttempt(departure, outcome);
  }

  ended(job: Job): Promise<void> {
    const departure = this.#departures.get(job.id);
    const known = departure ?? this.#interruptedOf(job);
    if (known === undefined) return Promise.resolve();
    const entry = exportEntry(job, known, this.#nowMs());
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.#departures.delete(job.id);
        this.#interrupted.delete(job.id);
        resolve();
      };
      const lost = (): void => reject(new Error('the audit record was closed before the end of a job'));
      this.#log.write({ entry, done, lost });
    });
  }

  refused(refusal: Refusal): void {
    if (this.#closing === undefined) this.#refusals.add(refusal);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#refusals.close();
    for (const [id, { line }] of this.#departures) this.#write(unfinishedEntry(id, line, this.#nowMs()));
    this.#write({ kind: 'stop', timeMs: this.#nowMs(), members: {} });
    await this.#log.close();
  }

  /** What there is to say about how the record was left, and that it goes on. */
  #begin({ torn, open, stopped }: Recovered): void {
    const timeMs = this.#nowMs();
    if (torn !== undefined) this.#write({ kind: 'repaired', timeMs, members: { ...torn } });
    for (const [job, { line, sha256 }] of open) {
      this.#interrupted.set(job, sha256);
      this.#write(unfinishedEntry(job, line, timeMs));
    }
    const after = stopped === undefined ? 'nothing' : stopped ? 'stop' : 'kill';
    this.#write({ kind: 'start', timeMs, members: { version: this.#options.version, after } });
  }

  /** For a job that an earlier run began and this one ends without an attempt of its own. */
  #interruptedOf(job: Job): Partial<Departure> | undefined {
    if (!this.#interrupted.has(job.id)) return undefined;
    const sha256 = this.#interrupted.get(job.id);
    return sha256 === undefined ? {} : { sha256 };
  }

  #carried(): readonly Entry[] {
    const jobs = [...this.#departures].flatMap(([job, { line, sha256 }]) =>
      line === undefined ? [] : [{ job, line, sha256 }],
    );
    const entries: Entry[] = [];
    for (let at = 0; at < jobs.length; at += jobsPerLine) {
      const members = { jobs: jobs.slice(at, at + jobsPerLine) };
      entries.push({ kind: 'carried', timeMs: this.#nowMs(), members });
    }
    return entries;
  }

  #write(entry: Entry): void {
    this.#log.write({ entry, done: () => undefined, lost: () => undefined });
  }

  #nowMs(): number {
    return this.#options.clock.nowMs();
  }
}
