import type { Clock } from './clock.js';
import type { Job } from './job/job.js';
import type { JobStore } from './job/store.js';
import { type Journal, openJournal } from './journal/journal.js';
import { JournalWriteError, toWriteError } from './journal/write_error.js';
import type { Logger } from './log/logger.js';

/** What outlives the process. */
export interface KeptJobs {
  /** `undefined` where jobs live in memory only. */
  readonly store: JobStore | undefined;
  /** Writes what is waiting and lets the next process in. */
  close(): Promise<void>;
}

/** Apart from what is used on and on: whoever keeps that does not keep the data of these jobs. */
export interface BroughtBack<Store> {
  readonly kept: Store;
  /** Those that the last process left, in the order in which they were accepted. */
  readonly jobs: readonly Job[];
}

export interface KeptJobsOptions {
  /** The journal's directory; without one nothing is kept. */
  readonly directory: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told how long each commit took. */
  readonly onCommit: (durationMs: number) => void;
}

/** Rejects with what to do about it, if the journal cannot be used. */
export async function openKeptJobs(options: KeptJobsOptions): Promise<BroughtBack<KeptJobs>> {
  const { directory, clock, logger, onCommit } = options;
  if (directory === undefined)
    return { kept: { store: undefined, close: () => Promise.resolve() }, jobs: [] };
  const onDamage = (why: string): void => logger.error({ reason: why }, 'the journal is damaged');
  const opened = await openJournal({ directory, clock, onDamage, onCommit });
  if (!opened.ok) throw new Error(opened.detail);
  const { journal, jobs } = opened;
  if (jobs.length > 0) logger.info({ jobs: jobs.length }, 'jobs brought back from the journal');
  return { kept: keptIn(journal, logger), jobs };
}

function keptIn(journal: Journal, logger: Logger): KeptJobs {
  const health = new Health(logger);
  return {
    store: {
      put: (job) => health.watch(journal.put(job)),
      remove: (ids) => health.watch(journal.remove(ids)),
      probe: () => health.watch(journal.probe()),
    },
    async close() {
      try {
        await journal.close();
      } catch (error) {
        const reason = reasonOf(toWriteError(error));
        logger.warn({ reason }, 'the journal was not flushed once more; what was acknowledged is in it');
      }
    },
  };
}

/** Says once when writing begins to fail, and once when it succeeds again. */
class Health {
  readonly #logger: Logger;
  #failing = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  async watch(write: Promise<void>): Promise<void> {
    try {
      await write;
    } catch (error) {
      if (!this.#failing) this.#logger.error({ reason: reasonOf(error) }, 'the journal cannot be written');
      this.#failing = true;
      throw error;
    }
    if (this.#failing) this.#logger.info('the journal can be written again');
    this.#failing = false;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof JournalWriteError ? `${error.reason}: ${error.message}` : String(error);
}
