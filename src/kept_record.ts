import { openAudit } from './audit/audit.js';
import type { Clock } from './clock.js';
import type { Config } from './config/settings.js';
import type { Job } from './job/job.js';
import type { JobStore } from './job/store.js';
import type { Logger } from './log/logger.js';
import type { Observers } from './observe.js';

/** The audit record, and what has to pass by it. */
export interface KeptRecord {
  /** Takes a change of a job only when both the journal, if there is one, and the record have it. */
  readonly store: JobStore | undefined;
  readonly observers: Observers;
  close(): Promise<void>;
}

export interface KeptRecordOptions {
  readonly config: Pick<Config, 'audit' | 'auditMaxBytes'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What the journal is, and what it brought back. */
  readonly journal: { readonly store: JobStore | undefined; readonly jobs: readonly Job[] };
  readonly observers: Observers;
}

/** Rejects with what to do about it, if the record cannot be used. */
export async function openKeptRecord(options: KeptRecordOptions): Promise<KeptRecord> {
  const { config, clock, logger, journal, observers } = options;
  if (config.audit === undefined) {
    return { store: journal.store, observers, close: () => Promise.resolve() };
  }
  const opened = await openAudit({
    path: config.audit,
    maxFileBytes: config.auditMaxBytes,
    clock,
    kept: journal.jobs,
    onOutage(code) {
      if (code === undefined) logger.info('the audit record can be written again');
      else logger.error({ reason: code }, 'the audit record cannot be written: nothing leaves');
    },
  });
  if (!opened.ok) throw new Error(opened.detail);
  const { audit } = opened;
  const { store } = journal;
  return {
    store: {
      async put(job) {
        await Promise.all([store?.put(job), recorded(job)]);
      },
      async remove(ids) {
        await store?.remove(ids);
      },
    },
    observers: {
      ...observers,
      onAttempt(report) {
        audit.attempted(report.job.id, report.outcome);
        observers.onAttempt(report);
      },
      onRefusal(report) {
        audit.refused(report);
        observers.onRefusal(report);
      },
    },
    close: () => audit.close(),
  };

  function recorded(job: Job): Promise<void> {
    if (job.state === 'Finished') return audit.ended(job);
    // A new job would only wait for the record.
    if (job.state === 'Pending') return audit.writable ? Promise.resolve() : unwritable();
    return isUnderWay(job) ? audit.leaving(job) : Promise.resolve();
  }
}

function unwritable(): Promise<never> {
  return Promise.reject(new Error('the audit record cannot be written'));
}

/** Whether an attempt begins, rather than has ended with another one to follow. */
function isUnderWay({ attemptRecords }: Job): boolean {
  return attemptRecords.at(-1)?.endedAtMs === undefined;
}
