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
import { AuditWriteError, RecordLog, type RecordWrite } from './log.js';
import type { OpenDeparture, Recovered } from './recover.js';
import { Refusals } from './refusals.js';

export interface RecordOptions {
  readonly clock: Clock;
  readonly key: SigningKey;
  readonly storage: Storage;
  /** The file's name in the storage. */
  readonly name: string;
  /** A file to which so much was added is followed by another. */
  readonly maxFileBytes: number;
  /** Of the relay. */
  readonly version: string;
  readonly onOutage: (code: string | undefined) => void;
  readonly onWrite: (write: RecordWrite) => void;
}

/** Jobs that came back after the last stop: how some that it left unfinished ended is known. */
export type JobsBroughtBack = ReadonlyMap<string, Job>;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Jobs in one line of a file's beginning. */
const jobsPerLine = 50;

/** An open record: what the relay tells it, as lines. See `Audit`. */
export class AuditRecord {
  readonly #options: RecordOptions;
  readonly #log: RecordLog;
  readonly #refusals: Refusals;
  readonly #departures = new Map<JobId, Departure>();
  /** Those whose line is being written, with who is to be told when it is durable, or cannot be. */
  readonly #leaving = new Map<JobId, (() => void)[]>();
  /** Those that an earlier run left unfinished, and that this one may end without an attempt of its own. */
  readonly #interrupted = new Map<string, Partial<Departure>>();
  /** Those of them of which the record does not say so yet. */
  readonly #unsettled = new Map<string, OpenDeparture>();
  /** Ends that are not written yet. */
  readonly #owed = new Map<JobId, Waiting[]>();
  #closing: Promise<void> | undefined;

  /** `broughtBack` is looked at, and not held on to. */
  constructor(options: RecordOptions, recovered: Recovered, broughtBack: JobsBroughtBack = new Map()) {
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
    this.#begin(recovered, broughtBack);
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

  leaving(job: Job): Promise<void> {
    if (!this.writable) return Promise.reject(new AuditWriteError('not writable'));
    const known = this.#departures.get(job.id);
    if (known !== undefined) {
      known.inFlight = true;
      return Promise.resolve();
    }
    const departure = departureOf(job);
    const entry = leavingEntry(job, departure, this.#nowMs());
    const waiting: (() => void)[] = [];
    this.#leaving.set(job.id, waiting);
    const settle = (): void => {
      this.#leaving.delete(job.id);
      for (const resolve of waiting) resolve();
    };
    return new Promise((resolve, reject) => {
      const done = (seq: number): void => {
        departure.line = seq;
        departure.inFlight = true;
        this.#departures.set(job.id, departure);
        settle();
        resolve();
      };
      const failed = (error: Error): 'drop' => {
        settle();
        reject(error);
        return 'drop';
      };
      this.#log.write({ entry, done, failed });
    });
  }

  attempted(id: JobId, outcome: AttemptOutcome): void {
    const departure = this.#departures.get(id);
    if (departure !== undefined) noteAttempt(departure, outcome);
  }

  async ended(job: Job): Promise<void> {
    const leaving = this.#leaving.get(job.id);
    if (leaving !== undefined) {
      await new Promise<void>((resolve) => void leaving.push(resolve));
      // It ended before it could leave: nothing leaves before that is on record.
      const departure = this.#departures.get(job.id);
      if (departure !== undefined) departure.inFlight = false;
    }
    await this.#end(job);
  }

  #end(job: Job): Promise<void> {
    const departure = this.#departures.get(job.id) ?? this.#interrupted.get(job.id);
    if (departure === undefined) return Promise.resolve();
    // A line that was tried before is written first of all, once anything can be.
    const known = this.#owed.get(job.id);
    if (known !== undefined && !this.writable) return Promise.reject(new AuditWriteError('not writable'));
    const waiting = known ?? [];
    return new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      if (known === undefined) this.#owe(job.id, exportEntry(job, departure, this.#nowMs()), waiting);
    });
  }

  /** A line that is never given up: whoever waits for it is told when it cannot be written, and may ask again. */
  #owe(id: JobId, entry: Entry, waiting: Waiting[]): void {
    const done = (): void => {
      this.#departures.delete(id);
      this.#interrupted.delete(id);
      this.#owed.delete(id);
      for (const { resolve } of waiting) resolve();
    };
    const failed = (error: Error): 'keep' => {
      for (const { reject } of waiting.splice(0)) reject(error);
      return 'keep';
    };
    this.#owed.set(id, waiting);
    this.#log.write({ entry, done, failed });
  }

  refused(refusal: Refusal): void {
    if (this.#closing === undefined) this.#refusals.add(refusal);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#refusals.close();
    for (const [id, { line }] of this.#departures) {
      if (!this.#owed.has(id)) this.#write(unfinishedEntry(id, line, this.#nowMs()));
    }
    this.#write({ kind: 'stop', timeMs: this.#nowMs(), members: {} });
    await this.#log.close();
  }

  /** What there is to say about how the record was left, and that it goes on. */
  #begin({ torn, open, stopped }: Recovered, broughtBack: JobsBroughtBack): void {
    const timeMs = this.#nowMs();
    if (torn !== undefined) this.#write({ kind: 'repaired', timeMs, members: { ...torn } });
    for (const [id, found] of open) {
      this.#unsettled.set(id, found);
      const done = (): void => void this.#unsettled.delete(id);
      this.#log.write({
        entry: this.#settling(id, found, broughtBack.get(id), timeMs),
        done,
        failed: () => 'keep',
      });
    }
    const after = stopped === undefined ? 'nothing' : stopped ? 'stop' : 'kill';
    this.#write({ kind: 'start', timeMs, members: { version: this.#options.version, after } });
  }

  /** How a job ended that an earlier run left unfinished, or that nobody knows. */
  #settling(id: string, { line, sha256 }: OpenDeparture, job: Job | undefined, timeMs: number): Entry {
    const departure = sha256 === undefined ? {} : { sha256 };
    if (job?.state === 'Finished') return exportEntry(job, departure, timeMs);
    this.#interrupted.set(id, departure);
    return unfinishedEntry(id, line, timeMs);
  }

  #carried(): readonly Entry[] {
    const jobs = [...this.#unsettled, ...this.#departures].flatMap(([job, { line, sha256 }]) =>
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
    this.#log.write({ entry, done: () => undefined, failed: () => 'keep' });
  }

  #nowMs(): number {
    return this.#options.clock.nowMs();
  }
}
