import { stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { type Clock, systemClock } from '../clock.js';
import type { AttemptOutcome } from '../delivery/outcome.js';
import type { Job, JobId } from '../job/job.js';
import { lockDirectory } from '../journal/lock.js';
import { directoryStorage, type Storage } from '../journal/storage.js';
import { errorCode } from '../journal/write_error.js';
import { makeDirectory } from '../make_directory.js';
import { version } from '../version.js';
import type { Refusal } from './entry.js';
import { loadSigningKey } from './keys.js';
import type { RecordWrite } from './log.js';
import { AuditRecord } from './record.js';
import { fileNumbers, recover } from './recover.js';

/**
 * The record of what left, for the person whose data it is: it can be checked without trusting whoever runs the
 * relay (`export-relay audit verify`; docs/audit.md describes the lines).
 *
 * An export has two lines. `leaving` is durable before the first byte leaves, `export` before the app can read how
 * the job ended. If the relay is killed between the two, the next start finds the one without the other and records
 * `unfinished`, unless the journal knows the end: the data may have left, and nobody can say more. So at no moment
 * is there data that has left and is not on record. While the record cannot be written nothing leaves, and what has
 * left and has no second line yet gets it first of all when it can be written again.
 *
 * Bounds: what waits to be written is at most a line for each job that is leaving, one for each of these that ends,
 * and what `Refusals` allows. A line is at most some kilobytes, whatever an app puts into the texts.
 */
export interface Audit {
  /** Whether the last write succeeded. While it did not, new jobs should be refused. */
  readonly writable: boolean;
  /** The last durable line: its number and hash. */
  readonly head: { readonly seq: number; readonly hash: string };
  /**
   * To be awaited before each attempt. Of a job's first one in this process it resolves once the departure is
   * durable. Rejects with an `AuditWriteError` if it cannot be written now; then nothing may leave.
   */
  leaving(job: Job): Promise<void>;
  /** Notes how an attempt ended; what of it belongs on record goes into the line of the job's end. */
  attempted(id: JobId, outcome: AttemptOutcome): void;
  /**
   * To be awaited before a Finished job can be read. Resolves once its end is durable, and at once if no attempt was
   * begun. Rejects with an `AuditWriteError` if it cannot be written now; it is not forgotten, and asking again
   * tells whether it has been written meanwhile.
   */
  ended(job: Job): Promise<void>;
  /** A submission that was not permitted. Repetitions are counted, see `Refusals`. */
  refused(refusal: Refusal): void;
  /** Writes what is waiting, `unfinished` for each job without an end, and a last checkpoint. */
  close(): Promise<void>;
}

export interface AuditOptions {
  /** On a local disk. Its directory is made if it is not there. */
  readonly path: string;
  readonly maxFileBytes: number;
  readonly clock?: Clock;
  /** Told once when writing fails, with the system's code, and once when it succeeds again. */
  readonly onOutage?: (code: string | undefined) => void;
  /** Told of each try to write. */
  readonly onWrite?: (write: RecordWrite) => void;
  /** Jobs that a journal brought back. */
  readonly kept?: readonly Job[];
}

export type OpenedAudit =
  | { readonly ok: true; readonly audit: Audit }
  | {
      readonly ok: false;
      readonly reason: 'in_use' | 'damaged' | 'unusable';
      /** What is the matter, and what to do: for the operator. */
      readonly detail: string;
    };

/** Opens the record in a file, or begins one. A refusal leaves everything as it is. */
export async function openAudit(options: AuditOptions): Promise<OpenedAudit> {
  const path = resolve(options.path);
  // A directory of its own, so that the record may lie in one with a journal, which is locked too.
  const locks = `${path}.lock`;
  try {
    if (await isNoFile(path)) return unusable(path, 'it is not a regular file');
    await makeDirectory(locks, 0o700);
    const lock = await lockDirectory(locks);
    if (!lock.ok) return lock.reason === 'in_use' ? inUse(path) : unusable(path, `${locks} ${lock.why}`);
    try {
      const opened = await openLocked(path, options);
      if (opened.ok) return { ok: true, audit: new LockedAudit(opened.record, lock.release) };
      await lock.release();
      return opened;
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    // Without a code it does not come from the system: a bug.
    if (!(error instanceof Error && 'code' in error)) throw error;
    return unusable(path, `it cannot be read or written (${errorCode(error)})`);
  }
}

/** Whether there is something that no record can be in. A device is everybody's, and would be made the relay's alone. */
async function isNoFile(path: string): Promise<boolean> {
  try {
    return !(await stat(path)).isFile();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

type Opened = { readonly ok: true; readonly record: AuditRecord } | Extract<OpenedAudit, { ok: false }>;

async function openLocked(
  path: string,
  {
    maxFileBytes,
    clock = systemClock,
    onOutage = () => undefined,
    onWrite = () => undefined,
    kept = [],
  }: AuditOptions,
): Promise<Opened> {
  const storage = directoryStorage(dirname(path));
  const name = basename(path);
  const obstacle = await missingPart(storage, name, path);
  if (obstacle !== undefined) return damaged(path, obstacle);
  const loaded = await loadSigningKey(path);
  if (!loaded.ok) return unusable(path, loaded.detail);
  const recovery = await recover(storage, name, loaded.key.publicKey);
  if (!recovery.ok) return damaged(path, recovery.why);
  const record = new AuditRecord(
    {
      clock,
      key: loaded.key,
      storage,
      name,
      maxFileBytes,
      version,
      onOutage,
      onWrite,
    },
    recovery.recovered,
    new Map(kept.map((job) => [job.id, job])),
  );
  return { ok: true, record };
}

/**
 * The file is there before its key is made, so that of the two nothing but the key alone means that the record was
 * taken away. A first start that was stopped between them leaves an empty file.
 */
async function missingPart(storage: Storage, name: string, path: string): Promise<string | undefined> {
  const names = await storage.list();
  const hasKey = names.includes(`${name}.key`);
  const numbered = fileNumbers(names, name).length > 0;
  if (names.includes(name) || numbered) {
    const empty = !numbered && (await isEmpty(storage, name));
    return hasKey || empty ? undefined : `its key, ${path}.key, is missing`;
  }
  if (hasKey) return `${path}.key is there, and the record that it signed is not`;
  const file = await storage.create(name);
  await file.close();
  await storage.syncNames();
  return undefined;
}

async function isEmpty(storage: Storage, name: string): Promise<boolean> {
  const file = await storage.open(name);
  const begin = await file.read(1);
  await file.close();
  return begin.length === 0;
}

class LockedAudit implements Audit {
  readonly #record: AuditRecord;
  readonly #release: () => Promise<void>;
  #closing: Promise<void> | undefined;

  constructor(record: AuditRecord, release: () => Promise<void>) {
    this.#record = record;
    this.#release = release;
  }

  get writable(): boolean {
    return this.#record.writable;
  }

  get head(): Audit['head'] {
    return this.#record.head;
  }

  leaving(job: Job): Promise<void> {
    return this.#record.leaving(job);
  }

  attempted(id: JobId, outcome: AttemptOutcome): void {
    this.#record.attempted(id, outcome);
  }

  ended(job: Job): Promise<void> {
    return this.#record.ended(job);
  }

  refused(refusal: Refusal): void {
    this.#record.refused(refusal);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#closeAndRelease());
  }

  async #closeAndRelease(): Promise<void> {
    try {
      await this.#record.close();
    } finally {
      await this.#release();
    }
  }
}

function inUse(path: string): OpenedAudit {
  const detail = `The audit record ${path} is in use by another process. Stop that one first, or give this one a file of its own.`;
  return { ok: false, reason: 'in_use', detail };
}

function unusable(path: string, why: string): Extract<OpenedAudit, { ok: false }> {
  return { ok: false, reason: 'unusable', detail: `The audit record ${path} cannot be used: ${why}.` };
}

function damaged(path: string, why: string): Extract<OpenedAudit, { ok: false }> {
  const detail = `The audit record ${path} was damaged or tampered with: ${why}. Nothing was changed. See what export-relay audit verify ${path} says, and put the files back as they were; or keep them elsewhere as evidence, by moving everything called ${path}* away, and a new record begins.`;
  return { ok: false, reason: 'damaged', detail };
}
