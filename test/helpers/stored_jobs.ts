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
import { answered, newJob } from './jobs.js';

export function jobId(text: string = randomUUID()): JobId {
  const id = parseJobId(text);
  if (id === undefined) throw new Error(`${text} is no job id`);
  return id;
}

/** A job just accepted. */
export function pending(data = '{"steps":1}', overrides: Partial<NewJob> = {}): Job {
  const from = newJob({ data, dataBytes: Buffer.byteLength(data), ...overrides });
  return createJob(jobId(), from, Date.UTC(2030, 0, 1));
}

/** The same job as its next attempt begins. */
export function begun(job: Job): Job {
  return startAttempt(job, job.updatedAtMs + 10);
}

/** The same job after an answer. */
export function ended(job: Job, body = 'ok'): Job {
  const outcome = answered(200, { body });
  if (outcome.kind !== 'answered') throw new Error('not answered');
  return finish(job, outcome, job.updatedAtMs + 20);
}

export function idsOf(jobs: readonly Job[]): readonly JobId[] {
  return jobs.map(({ id }) => id);
}
