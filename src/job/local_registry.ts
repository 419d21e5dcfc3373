import type { Clock } from '../clock.js';
import { type Failure, type Result, failed, success } from '../failure.js';
import { type AdmissionLimits, refusal } from './admission.js';
import type { AttemptResult } from './attempt_record.js';
import { Courier, type CourierOptions } from './courier.js';
import { DrainRate } from './drain_rate.js';
import { Endings } from './endings.js';
import { answerAgain } from './idempotency.js';
import {
  type Job,
  type JobId,
  type JobResult,
  type NewJob,
  createJob,
  endAttempt,
  finish,
  laneOf,
  newJobId,
  startAttempt,
} from './job.js';
import { type Entry, JobTable, type JobTableOptions } from './job_table.js';
import { Lanes, type LanesOptions } from './lanes.js';
import type { JobRegistry, RegistryStats, WatchOptions } from './registry.js';
import { interrupted, resumptionsOf } from './resume.js';
import type { JobStore } from './store.js';
import { Watchers } from './watchers.js';
import { notWritten, WriteThrough } from './write_through.js';

export interface LocalRegistryOptions
  extends
    AdmissionLimits,
    Omit<JobTableOptions, 'onForgotten'>,
    Omit<LanesOptions, 'run'>,
    Pick<CourierOptions, 'limits' | 'deliver' | 'random' | 'onAttempt' | 'onBug'> {
  readonly clock: Clock;
  readonly maxWaiters: number;
  /** Accepted to first attempt. */
  readonly queueTimeoutMs: number;
  /** Where changes are written before they count; without one, jobs live in memory only. */
  readonly store?: JobStore | undefined;
  /** Told of each job that is accepted, and of each change: with every version that clients can see. */
  readonly onChange: (job: Job) => void;
  /** Told once about each job that ends, after its waiters have been woken. */
  readonly onFinished: (job: Job) => void;
}

const sweepIntervalMs = 1000;

const unknownJob = failed({ code: 'unknown_job', detail: 'There is no such job.' });

/** What is still being written at a stop is given this long. */
const lastWritesMs = 5000;

/**
 * All jobs of one process. What clients see is in memory; with a store, a change is written there first. State,
 * version and waiters change in one synchronous step, `#show`.
 */
export class LocalRegistry implements JobRegistry {
  readonly #options: LocalRegistryOptions;
  readonly #clock: Clock;
  readonly #table: JobTable;
  readonly #watchers: Watchers;
  readonly #store: WriteThrough;
  readonly #drainRate = new DrainRate();
  readonly #lanes: Lanes;
  readonly #courier: Courier;
  readonly #endings: Endings;
  #closing = false;
  #cancelSweep: () => void;

  constructor(options: LocalRegistryOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#store = new WriteThrough(options.store, options.clock);
    this.#endings = new Endings(this.#store, options.clock, options.limits.jobTimeoutMs);
    this.#table = new JobTable({ ...options, onForgotten: (id) => this.#store.remove(id) });
    this.#watchers = new Watchers(options.maxWaiters, options.clock);
    this.#courier = new Courier({
      ...options,
      begin: (id) => this.#begin(id),
      settle: (id, result) => this.#settle(id, result),
      note: (id, result, retryInMs) => this.#note(id, result, retryInMs),
      requeue: (id) => this.#requeue(id),
    });
    this.#lanes = new Lanes({ ...options, run: (id) => this.#courier.attempt(id) });
    this.#cancelSweep = this.#scheduleSweep();
  }

  /**
   * Takes up jobs that the store has kept, in the order in which they were accepted, before any other. Nothing is
   * attempted until `start`.
   */
  restore(jobs: readonly Job[]): void {
    this.#lanes.pause();
    const nowMs = this.#clock.monotonicMs();
    const { finished, unfinished } = resumptionsOf(jobs, this.#clock.nowMs());
    for (const { job, to } of finished) this.#table.addFinished(job, to.result, to.ageMs, nowMs);
    for (const { job, to } of unfinished) {
      if (to.kind === 'queued') this.#enter(this.#table.add(job, nowMs - to.ageMs));
      else this.#table.add(to.job, nowMs);
    }
    // Each of them goes to the front of its lane, so the first has to come last.
    for (const { job, to } of unfinished.reverse()) {
      if (to.kind === 'continued') this.#courier.resume(job.id, to.delayMs, interrupted);
      else if (to.kind === 'given_up') this.#settle(job.id, to.result);
    }
    this.#table.evictSurplus();
  }

  /** Lets attempts begin after `restore`, but for what waited too long meanwhile. */
  start(): void {
    this.#sweep(this.#clock.monotonicMs());
    this.#lanes.start();
  }

  submit(newJob: NewJob): Promise<Result<Job>> {
    const known = this.#table.submittedBefore(newJob);
    if (known !== undefined) return this.#answerAgain(newJob, known);
    const failure = this.#refusal(newJob);
    if (failure !== undefined) return Promise.resolve(failed(failure));
    const job = createJob(newJobId(), newJob, this.#clock.nowMs());
    const entry = this.#table.add(job, this.#clock.monotonicMs());
    const written = this.#store.put(job);
    if (written === undefined) return Promise.resolve(this.#accept(entry));
    entry.arriving = written;
    return written.then((stored) => {
      entry.arriving = undefined;
      if (stored) return this.#accept(entry);
      this.#table.drop(entry);
      return notWritten;
    });
  }

  async check(newJob: NewJob): Promise<Failure | undefined> {
    const known = this.#table.submittedBefore(newJob);
    if (known === undefined) return this.#refusal(newJob) ?? (await this.#store.failure());
    const again = await this.#answerAgain(newJob, known);
    return again.ok ? undefined : again.failure;
  }

  get(id: JobId): Promise<Job | undefined> {
    return Promise.resolve(this.#table.get(id)?.job);
  }

  watch(id: JobId, options: WatchOptions): Promise<Result<Job>> {
    const entry = this.#table.get(id);
    return entry === undefined ? Promise.resolve(unknownJob) : this.#watchers.watch(entry, options);
  }

  async cancel(id: JobId): Promise<Result<Job>> {
    this.#settle(id, {
      kind: 'gave_up',
      error: { code: 'cancelled', message: 'The job was cancelled by its owner.' },
    });
    const entry = this.#table.get(id);
    if (entry === undefined) return unknownJob;
    return entry.ending === undefined || (await entry.ending) ? success(entry.job) : notWritten;
  }

  markRead(id: JobId): void {
    this.#table.markRead(id);
  }

  /** Whether any attempt is in flight. */
  get isDelivering(): boolean {
    return this.#lanes.running > 0;
  }

  stats(): RegistryStats {
    const { pending, processing, finished, bytes } = this.#table;
    const { size: lanes, running } = this.#lanes;
    return { pending, processing, finished, waiters: this.#watchers.count, lanes, running, bytes };
  }

  close(): void {
    this.#closing = true;
    this.#cancelSweep();
    this.#watchers.close(this.#table.entries());
  }

  async drain(graceMs: number): Promise<void> {
    this.#lanes.pause();
    this.#store.stop();
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(graceMs, resolve);
      void this.#lanes.onQuiet().then(() => {
        cancel();
        resolve();
      });
    });
    this.#courier.abandon();
    await this.#store.onQuiet(lastWritesMs);
  }

  /** The answer to a submission whose key a kept job has; it adds nothing, so no limit applies to it. */
  async #answerAgain(newJob: NewJob, entry: Entry): Promise<Result<Job>> {
    if (entry.arriving !== undefined && !(await entry.arriving)) return notWritten;
    return answerAgain(newJob, entry.job);
  }

  #refusal(newJob: NewJob): Failure | undefined {
    return refusal(this.#table.loadFor(newJob), this.#options, {
      closing: this.#closing,
      retryAfterSeconds: () => this.#drainRate.secondsUntil(1, this.#clock.monotonicMs()),
    });
  }

  #accept(entry: Entry): Result<Job> {
    const { job } = entry;
    this.#options.onChange(job);
    // Its first attempt may begin at once; what was accepted was a Pending job.
    this.#enter(entry);
    return success(job);
  }

  #enter(entry: Entry): void {
    entry.place = this.#lanes.enqueue(laneOf(entry.job), entry.job.id);
  }

  /** The job as its next attempt begins, or `undefined` if it has ended or cannot be attempted. */
  #begin(id: JobId): Job | undefined | Promise<Job | undefined> {
    const entry = this.#table.get(id);
    if (entry === undefined || hasEnded(entry)) return undefined;
    if (this.#macaroonExpired(entry.job)) return undefined;
    entry.place = undefined;
    const started = startAttempt(entry.job, this.#clock.nowMs());
    const written = this.#store.put(started);
    if (written === undefined) return this.#showBegun(entry, started);
    return this.#beginOnceWritten(entry, started, written);
  }

  /** Nothing leaves before it is written that it does: a stop would not know of the attempt. */
  async #beginOnceWritten(entry: Entry, started: Job, written: Promise<boolean>): Promise<Job | undefined> {
    if (await written) {
      // A write may take long enough for either.
      const over = hasEnded(entry) || this.#macaroonExpired(entry.job);
      return over ? undefined : this.#showBegun(entry, started);
    }
    return (await this.#store.hold()) ? this.#begin(entry.job.id) : undefined;
  }

  #showBegun(entry: Entry, started: Job): Job {
    this.#table.leaveQueue(entry);
    this.#courier.depart(started.id);
    this.#show(entry, started);
    return started;
  }

  /** A `time` caveat holds for every attempt, not only for the request that submitted the job. */
  #macaroonExpired(job: Job): boolean {
    if (job.expiresAtMs === undefined || this.#clock.nowMs() < job.expiresAtMs) return false;
    // A destination that has answered before, if only "not now", is what the job ends with.
    const expired: JobResult = {
      kind: 'gave_up',
      error: { code: 'expired', message: 'The macaroon of the job expired before this attempt.' },
    };
    this.#settle(job.id, this.#courier.lastAnswer(job.id) ?? expired);
    return true;
  }

  #note(id: JobId, result: AttemptResult, retryInMs: number): void {
    const entry = this.#table.get(id);
    if (entry === undefined) return;
    entry.job = endAttempt(entry.job, result, this.#clock.nowMs(), retryInMs);
    // Should this be lost, the attempt counts as one that a stop interrupted.
    void this.#store.put(entry.job);
  }

  #requeue(id: JobId): void {
    const entry = this.#table.get(id);
    if (entry !== undefined) entry.place = this.#lanes.enqueueFirst(laneOf(entry.job), id);
  }

  /** Ends a job; one that has ended already stays as it is. */
  #settle(id: JobId, result: JobResult): void {
    const entry = this.#table.get(id);
    if (entry === undefined || hasEnded(entry)) return;
    this.#courier.recall(id);
    if (entry.place !== undefined) this.#lanes.remove(entry.place);
    entry.place = undefined;
    this.#table.leaveQueue(entry);
    const kept = this.#table.fit(entry, result);
    const finished = finish(entry.job, kept, this.#clock.nowMs());
    const show = (): void => this.#showEnd(entry, finished, kept);
    const written = this.#store.put(finished);
    entry.ending = written;
    if (written === undefined) show();
    else {
      void this.#endings.showOnceWritten({
        written,
        writeAgain: () => this.#store.put(finished),
        isWanted: () => this.#table.get(id) === entry,
        show,
      });
    }
  }

  /** An end that was shown is not shown again. */
  #showEnd(entry: Entry, finished: Job, result: JobResult): void {
    if (entry.job.state === 'Finished') return;
    const nowMs = this.#clock.monotonicMs();
    entry.ending = undefined;
    this.#table.keep(entry, finished, result, nowMs);
    this.#drainRate.note(nowMs);
    this.#show(entry, finished);
    this.#table.evictSurplus();
    this.#options.onFinished(finished);
  }

  #show(entry: Entry, job: Job): void {
    entry.job = job;
    this.#options.onChange(job);
    entry.waiters?.wake(job);
  }

  #scheduleSweep(): () => void {
    return this.#clock.after(sweepIntervalMs, () => {
      this.#sweep(this.#clock.monotonicMs());
      this.#cancelSweep = this.#scheduleSweep();
    });
  }

  /** Ends what waited too long and forgets what was kept long enough. */
  #sweep(nowMs: number): void {
    const { queueTimeoutMs } = this.#options;
    for (let head = this.#table.longestQueued(); head !== undefined; head = this.#table.longestQueued()) {
      // One that is still being written has not been accepted yet; those behind it came later.
      if (head.arriving !== undefined || head.acceptedAtMs + queueTimeoutMs > nowMs) break;
      this.#settle(head.job.id, {
        kind: 'gave_up',
        error: { code: 'expired', message: 'The job waited too long for its first attempt.' },
      });
    }
    this.#courier.expire(nowMs);
    this.#endings.showOverdue(nowMs);
    this.#table.evictExpired(nowMs);
    this.#store.sweep();
  }
}

/** Whether its end is decided, shown or not. */
function hasEnded({ job, ending }: Entry): boolean {
  return job.state === 'Finished' || ending !== undefined;
}
