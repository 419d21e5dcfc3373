import { randomUUID } from 'node:crypto';
import {
  createJob,
  finish,
  type Job,
  type JobId,
  type NewJob,
  parseJobId,
  startAttempt,
} from '#relay/job/job.js';
import type { StoredJob } from '#relay/journal/record.js';
import { answered, newJob } from './jobs.js';

export function jobId(text: string = randomUUID()): JobId {
  const id = parseJobId(text);
  if (id === undefined) throw new Error(`${text} is no job id`);
  return id;
}

/** A job just accepted. */
export function pending(data = '{"steps":1}', overrides: Partial<NewJob> = {}): StoredJob {
  const from = newJob({ data, dataBytes: Buffer.byteLength(data), ...overrides });
  return { job: createJob(jobId(), from, Date.UTC(2030, 0, 1)), interruptions: 0 };
}

/** The same job as its next attempt begins. */
export function begun({ job, interruptions }: StoredJob): StoredJob {
  return { job: startAttempt(job, job.updatedAtMs + 10), interruptions };
}

/** The same job after an answer. */
export function ended({ job, interruptions }: StoredJob, body = 'ok'): StoredJob {
  const outcome = answered(200, { body });
  if (outcome.kind !== 'answered') throw new Error('not answered');
  return { job: finish(job, outcome, job.updatedAtMs + 20), interruptions };
}

export function idsOf(jobs: readonly StoredJob[]): readonly JobId[] {
  return jobs.map(({ job }: { readonly job: Job }) => job.id);
}
