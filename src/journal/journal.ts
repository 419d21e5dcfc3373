import { resolve } from 'node:path';
import { type Job, type JobId, newJobId } from '../job/job.js';
import { prepareDirectory } from './directory.js';
import { lockDirectory } from './lock.js';
import type { Log, LogStats } from './log.js';
import { type LogSettings, openLog } from './open_log.js';
import { directoryStorage } from './storage.js';
import { errorCode } from './write_error.js';

export interface JournalOptions extends LogSettings {
  /** On a local disk; made if it is not there. One process at a time can use it. */
  readonly directory: string;
}

/**
 * The jobs on disk. What is acknowledged survives `kill -9` and, as far as the disk keeps its word, a power cut.
 *
 * Payloads go with their job: what was written about it is overwritten with zeros as soon as it no longer counts, and
 * its file is removed in time. That is as far as a file system reaches: a disk that remaps its sectors, a file system
 * that writes elsewhere (btrfs, ZFS), snapshots and backups may keep what was there.
 */
export interface Journal {
  /**
   * Resolves once this and everything put before is durable; many calls share one commit. Rejects with a
   * `JournalWriteError`, and then nothing of it counts. The data of a job must be the same in every call until the
   * job is Finished. Of several calls for one job in the same commit only the last is written.
   */
  put(job: Job): Promise<void>;
  /** Forgets jobs, with what was delivered and answered; as durable as `put`. Ids that are not there are skipped. */
  remove(ids: readonly JobId[]): Promise<void>;
  /** Resolves once a commit that changes nothing is durable; rejects as `put` would. */
  probe(): Promise<void>;
  stats(): LogStats;
  /** Writes what is waiting, closes the files and lets other processes in. Later calls reject. */
  close(): Promise<void>;
}

export type OpenedJournal =
  | {
      readonly ok: true;
      readonly journal: Journal;
      /** In the order in which they were first put. */
      readonly jobs: readonly Job[];
    }
  | {
      readonly ok: false;
      readonly reason: 'in_use' | 'damaged' | 'other_version' | 'unusable';
      /** What is the matter with which directory, and what to do: for the operator. */
      readonly detail: string;
    };

/** Opens the journal in a directory, or makes an empty one. A refusal leaves everything as it is. */
export async function openJournal(options: JournalOptions): Promise<OpenedJournal> {
  const directory = resolve(options.directory);
  const obstacle = await prepareDirectory(directory);
  if (obstacle !== undefined) return unusable(directory, obstacle);
  const lock = await lockDirectory(directory);
  if (!lock.ok) {
    if (lock.reason === 'unusable') return unusable(directory, lock.why);
    const detail = `The journal in ${directory} is in use by another process. Stop that one first, or give this one a directory of its own.`;
    return { ok: false, reason: 'in_use', detail };
  }
  try {
    const opened = await openLog(directoryStorage(directory), options);
    if (opened.ok)
      return { ok: true, journal: new LockedJournal(opened.log, lock.release), jobs: opened.jobs };
    await lock.release();
    const { reason, why } = opened.refusal;
    return { ok: false, reason, detail: `The journal in ${directory} ${advice[reason](why)}` };
  } catch (error) {
    await lock.release();
    // Without a code it does not come from the system: a bug.
    if (!(error instanceof Error && 'code' in error)) throw error;
    return unusable(directory, `cannot be read or written (${errorCode(error)})`);
  }
}

const advice: Readonly<Record<'damaged' | 'other_version', (why: string) => string>> = {
  damaged: (why) =>
    `is damaged: ${why}. Nothing was changed. Put a copy of the directory back (jobs that ended after it was made are delivered again), or move it away to begin with an empty journal, without the jobs in it.`,
  other_version: (why) =>
    `is of another version: ${why}. Nothing was changed. Start a release that knows it, or move the directory away to begin with an empty journal, without the jobs in it.`,
};

function unusable(directory: string, why: string): OpenedJournal {
  const detail = `The journal's directory ${directory} ${why}${why.endsWith('.') ? '' : '.'}`;
  return { ok: false, reason: 'unusable', detail };
}

class LockedJournal implements Journal {
  readonly #log: Log;
  readonly #release: () => Promise<void>;
  #closing: Promise<void> | undefined;

  constructor(log: Log, release: () => Promise<void>) {
    this.#log = log;
    this.#release = release;
  }

  put(job: Job): Promise<void> {
    return this.#log.write(job.id, job);
  }

  async remove(ids: readonly JobId[]): Promise<void> {
    await Promise.all(ids.map((id) => this.#log.write(id, 'removed')));
  }

  probe(): Promise<void> {
    return this.#log.write(newJobId(), 'tried');
  }

  stats(): LogStats {
    return this.#log.stats();
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    try {
      await this.#log.close();
    } finally {
      await this.#release();
    }
  }
}
