import type { Audit, AuditOptions } from './audit/audit.js';
import type { Clock } from './clock.js';
import type { Config } from './config/settings.js';
import type { Job } from './job/job.js';
import type { JobStore } from './job/store.js';
import { type BroughtBack, openKeptJobs } from './kept_jobs.js';
import type { Logger } from './log/logger.js';
import type { Observers } from './observe.js';

/** What outlives the process: the journal and the audit record, each if it is wanted. */
export interface Kept {
  /** Takes a change of a job only when each of them has it. */
  readonly store: JobStore | undefined;
  readonly observers: Observers;
  /** Writes what is waiting and lets the next process in. */
  close(): Promise<void>;
}

export interface KeptOptions {
  readonly config: Pick<Config, 'audit' | 'auditMaxBytes' | 'journal'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observers: Observers;
}

/** Rejects with what to do about it, if the journal or the record cannot be used. */
export async function openKept({
  config,
  clock,
  logger,
  observers,
}: KeptOptions): Promise<BroughtBack<Kept>> {
  const { kept: journal, jobs } = await openKeptJobs({
    ...observers,
    directory: config.journal,
    clock,
    logger,
  });
  const { audit: path, auditMaxBytes: maxFileBytes } = config;
  if (path === undefined) return { kept: { ...journal, observers }, jobs };
  try {
    const { onRecordWrite: onWrite } = observers;
    const audit = await openRecord({ path, maxFileBytes, clock, kept: jobs, onWrite }, logger);
    const kept: Kept = {
      store: recordingStore(audit, journal.store),
      observers: recordingObservers(audit, observers),
      async close() {
        await audit.close();
        await journal.close();
      },
    };
    return { kept, jobs };
  } catch (error) {
    await journal.close();
    throw error;
  }
}

async function openRecord(options: AuditOptions, logger: Logger): Promise<Audit> {
  const { openAudit } = await import('./audit/audit.js');
  const opened = await openAudit({
    ...options,
    onOutage(code) {
      if (code === undefined) logger.info('the audit record can be written again');
      else logger.error({ reason: code }, 'the audit record cannot be written: nothing leaves');
    },
  });
  if (!opened.ok) throw new Error(opened.detail);
  return opened.audit;
}

/** Journal and record are written at the same time: what only one of them knows after a kill is true all the same. */
function recordingStore(audit: Audit, journal: JobStore | undefined): JobStore {
  return {
    async put(job) {
      await Promise.all([journal?.put(job), record(audit, job)]);
    },
    async remove(ids) {
      await journal?.remove(ids);
    },
    async probe() {
      await Promise.all([journal?.probe(), takesNewJobs(audit)]);
    },
  };
}

function record(audit: Audit, job: Job): Promise<void> {
  if (job.state === 'Finished') return audit.ended(job);
  if (job.state === 'Pending') return takesNewJobs(audit);
  return isUnderWay(job) ? audit.leaving(job) : Promise.resolve();
}

function recordingObservers(audit: Audit, observers: Observers): Observers {
  return {
    ...observers,
    onAttempt(report) {
      audit.attempted(report.job.id, report.outcome);
      observers.onAttempt(report);
    },
    onRefusal(report) {
      audit.refused(report);
      observers.onRefusal(report);
    },
  };
}

/** A new job would only wait for a record that cannot be written. */
function takesNewJobs({ writable }: Audit): Promise<void> {
  return writable ? Promise.resolve() : Promise.reject(new Error('the audit record cannot be written'));
}

/** Whether an attempt begins, rather than has ended with another one to follow. */
function isUnderWay({ attemptRecords }: Job): boolean {
  return attemptRecords.at(-1)?.endedAtMs === undefined;
}
