import type { Failure, Result } from '../failure.js';
import type { Job, JobId, NewJob } from './job.js';

/** How a long poll waits. */
export interface WatchOptions {
  /** The version the caller has seen: a job that has another one is returned at once. */
  readonly knownVersion?: number;
  /** What ends the wait: any change, or only the end of the job. */
  readonly until: 'change' | 'Finished';
  /** How long at most; 0 returns at once. */
  readonly waitMs: number;
  /** Aborted when the client goes away: the waiter is freed and the job returned as it is. */
  readonly signal?: AbortSignal;
}

/** Figures for operators; none of them lists a job. */
export interface RegistryStats {
  readonly pending: number;
  readonly processing: number;
  readonly finished: number;
  readonly waiters: number;
  readonly lanes: number;
  /** Attempts in flight. */
  readonly running: number;
  /** Payloads and kept responses together. */
  readonly bytes: number;
}

/**
 * The jobs, their versions and who waits for them. Asynchronous throughout, so that a durable or a distributed
 * implementation fits behind it; whoever is allowed to see a job is decided by the caller.
 */
export interface JobRegistry {
  /**
   * Accepts a job, or says why not: `queue_full`, `lane_full`, `shutting_down`, `storage_unavailable`. With an idempotency key that a kept
   * job has, the answer is that job if the data is the same, and else `idempotency_conflict`: neither takes a place.
   */
  submit(job: NewJob): Promise<Result<Job>>;
  /** Why `submit` would refuse this job now, if it would. Changes nothing. */
  check(job: NewJob): Promise<Failure | undefined>;
  get(id: JobId): Promise<Job | undefined>;
  /**
   * The job once it has changed. Registering the waiter and comparing the version are one step: no change falls
   * between. Fails with `unknown_job` or `too_many_waiters`.
   */
  watch(id: JobId, options: WatchOptions): Promise<Result<Job>>;
  /**
   * Ends a job: a Pending one never leaves, an attempt in flight is aborted. A Finished one stays as it is. The job as
   * it then stands; fails with `unknown_job`, or with `storage_unavailable` if its end cannot be written yet.
   */
  cancel(id: JobId): Promise<Result<Job>>;
  /** Notes that a client has got the result: under pressure, results already read go first. */
  markRead(id: JobId): void;
  stats(): RegistryStats;
  /** Refuses new jobs and answers every waiter with the current state. */
  close(): void;
  /** Starts no further attempt and resolves when those in flight have ended, or after `graceMs`. */
  drain(graceMs: number): Promise<void>;
}
