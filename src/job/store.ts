import type { Job, JobId } from './job.js';

/**
 * What has to be told of a job before a change of it counts: the journal, the record of what left. Everything that
 * clients see and every attempt waits for it.
 */
export interface JobStore {
  /**
   * Resolves once the job, as given, is certain to last. Rejects if it cannot be written now: the change does not
   * count then, and may be put again later.
   */
  put(job: Job): Promise<void>;
  /** Forgets jobs. Ids that are not there are skipped. */
  remove(ids: readonly JobId[]): Promise<void>;
  /** Rejects if a new job could not be put now. Changes nothing. */
  probe(): Promise<void>;
}
