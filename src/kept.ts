import type { Clock } from './clock.js';
import type { Config } from './config/settings.js';
import type { Job } from './job/job.js';
import type { JobStore } from './job/store.js';
import { openKeptJobs } from './kept_jobs.js';
import { openKeptRecord } from './kept_record.js';
import type { Logger } from './log/logger.js';
import type { Observers } from './observe.js';

/** All that outlives the process: the journal of jobs, and the record of what left. */
export interface Kept {
  /** What a change of a job has to pass; `undefined` where nothing is kept. */
  readonly store: JobStore | undefined;
  /** Those that the last process left, in the order in which they were accepted. */
  readonly jobs: readonly Job[];
  /** The ones given, with the record among those who hear of everything. */
  readonly observers: Observers;
  /** Writes what is waiting and lets the next process in. */
  close(): Promise<void>;
}

export interface KeptOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observers: Observers;
}

/** Rejects with what to do about it, if one of them cannot be used; the other is closed then. */
export async function openKept({ config, clock, logger, observers }: KeptOptions): Promise<Kept> {
  const journal = await openKeptJobs({ directory: config.journal, clock, logger });
  try {
    const record = await openKeptRecord({ config, clock, logger, journal, observers });
    return {
      store: record.store,
      jobs: journal.jobs,
      observers: record.observers,
      async close() {
        await record.close();
        await journal.close();
      },
    };
  } catch (error) {
    await journal.close();
    throw error;
  }
}
