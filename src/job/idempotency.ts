import type { Destination } from '../egress/destination.js';
import { type Result, failed, success } from '../failure.js';
import { type Job, type JobId, type NewJob, digestOf } from './job.js';

/**
 * Which job a client's idempotency key stands for, per owner and normalised uri. An entry lives exactly as long as its
 * job, so the index needs no bound of its own; and it is digests, so that long uris and keys are not held twice.
 */
export class IdempotencyIndex {
  readonly #jobs = new Map<string, JobId>();

  /** The job that was submitted with the same key before. */
  find({ owner, destination, idempotencyKey }: NewJob): JobId | undefined {
    if (idempotencyKey === undefined) return undefined;
    return this.#jobs.get(scopeOf(owner, destination, idempotencyKey));
  }

  /** Remembers the key of a job, if it has one. */
  add({ id, owner, destination, idempotency }: Job): void {
    if (idempotency !== undefined) this.#jobs.set(scopeOf(owner, destination, idempotency.key), id);
  }

  /** Lets a job's key go, unless it has passed to another job: one that was forgotten may be back after a stop. */
  forget({ id, owner, destination, idempotency }: Job): void {
    if (idempotency === undefined) return;
    const scope = scopeOf(owner, destination, idempotency.key);
    if (this.#jobs.get(scope) === id) this.#jobs.delete(scope);
  }
}

/**
 * The answer to a submission whose key a kept job has: that job, if the submission repeats it, and else a conflict. What
 * is delivered decides: a repetition may come with fresh credentials in its headers, or another purpose.
 */
export function answerAgain({ data }: NewJob, job: Job): Result<Job> {
  if (job.idempotency?.dataDigest === digestOf(data)) return success(job);
  return failed({
    code: 'idempotency_conflict',
    detail: 'This Idempotency-Key was used for this uri with other data. Use a new key for new data.',
  });
}

/** As JSON, so that no two triples read alike. */
function scopeOf(owner: string, { href }: Destination, key: string): string {
  return digestOf(JSON.stringify([owner, href, key]));
}
