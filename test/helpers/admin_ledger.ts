import type { Entry } from '#relay/admin/entry.js';
import { Ledger } from '#relay/admin/ledger.js';
import { rowOf } from '#relay/admin/rows.js';
import type { RefusalReport } from '#relay/http/exports.js';
import { type Job, type JobResult, createJob, finish, newJobId, startAttempt } from '#relay/job/job.js';
import type { ExportRow } from '#relay/page/wire.js';
import { answered, destination, newJob } from './jobs.js';

/** When all of it happens. */
export const nowMs = Date.UTC(2030, 0, 1, 12);

export function ledgerOf(maxEntries = 1000): Ledger {
  return new Ledger({ maxEntries, nowMs: () => nowMs });
}

export function accepted(ledger: Ledger, overrides: Parameters<typeof newJob>[0] = {}): Job {
  const job = createJob(newJobId(), newJob(overrides), nowMs);
  ledger.onChange(job);
  return job;
}

export function attempted(ledger: Ledger, job: Job): Job {
  const started = startAttempt(job, nowMs);
  ledger.onChange(started);
  return started;
}

export function ended(ledger: Ledger, job: Job, result: JobResult, atMs = nowMs): void {
  ledger.onChange(finish(job, result, atMs));
}

export function ok(statusCode = 200): JobResult {
  const outcome = answered(statusCode);
  if (outcome.kind !== 'answered') throw new Error('no answer');
  return outcome;
}

export function gaveUp(code: Extract<JobResult, { kind: 'gave_up' }>['error']['code']): JobResult {
  return { kind: 'gave_up', error: { code, message: 'a message' } };
}

export function refusal(overrides: Partial<RefusalReport> = {}): RefusalReport {
  return {
    owner: 'app',
    destination: destination(),
    purpose: undefined,
    dataBytes: 7,
    dataSha256: () => '',
    failure: { code: 'destination_refused', rule: 'private', detail: '' },
    ...overrides,
  };
}

export function endedRows(ledger: Ledger): readonly ExportRow[] {
  const rows: ExportRow[] = [];
  for (let entry = ledger.endedBefore(Infinity); entry !== undefined; entry = ledger.endedBefore(entry.seq)) {
    rows.push(rowOf(entry));
  }
  return rows;
}

export function openRows(ledger: Ledger): readonly ExportRow[] {
  return [...ledger.open()].map((entry: Entry) => rowOf(entry));
}
