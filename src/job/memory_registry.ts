import type { Clock } from '../clock.js';
import { type Failure, type Result, failed, success } from '../failure.js';
import { type AdmissionLimits, refusal } from './admission.js';
import type { AttemptResult } from './attempt_record.js';
import { Courier, type CourierOptions } from './courier.js';
import { DrainRate } from './drain_rate.js';
import { finishedBytes, unfinishedBytes, withoutBody } from './footprint.js';
import { IdempotencyIndex, answerAgain } from './idempotency.js';
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
import { LaneLoad } from './lane_load.js';
import { type LanePlace, Lanes, type LanesOptions } from './lanes.js';
import { LinkedList, type Node } from './linked_list.js';
import type { JobRegistry, RegistryStats, WatchOptions } from './registry.js';
import { type Kept, Retention } from './retention.js';
import { JobWaiters } from './waiters.js';

export interface MemoryRegistryOptions
  extends
    AdmissionLimits,
    Omit<LanesOptions, 'run'>,
    Pick<CourierOptions, 'limits' | 'deliver' | 'random' | 'onAttempt' | 'onBug'> {
  readonly clock: Clock;
  readonly maxKept: number;
  readonly maxWaiters: number;
  /** How long a Finished job is kept. */
  readonly resultTtlMs: number;
  /** Accepted to first attempt. */
  readonly queueTimeoutMs: number;
  /** Told of each accepted job, and of each change: with every version that clients can see. */
  readonly onChange: (job: Job) => void;
  /** Told once about each job that ends, after its waiters have been woken. */
  readonly onFinished: (job: Job) => void;
}

/** A job and where it stands. */
interface Entry {
  job: Job;
  /** Pending: its place in the order of acceptance, for the queue timeout. */
  queued: Node<Entry> | undefined;
  readonly acceptedAtMs: number;
  /** Its share of the memory limit while it is unfinished. */
  readonly bytes: number;
  /** Finished: its place among the kept. */
  kept: Kept | undefined;
  waiters: JobWaiters | undefined;
  /** Waiting for a turn: its place in its lane. */
  place: LanePlace | undefined;
}

const sweepIntervalMs = 1000;

/** All jobs in memory. State, version and waiters change in one synchronous step, `#change`. */
export class MemoryRegistry implements JobRegistry {
  readonly #options: MemoryRegistryOptions;
  readonly #clock: Clock;
  readonly #entries = new Map<JobId, Entry>();
  readonly #byKey = new IdempotencyIndex();
  readonly #laneLoad = new LaneLoad();
  readonly #queued = new LinkedList<Entry>();
  readonly #retention: Retention;
  readonly #drainRate = new DrainRate();
  readonly #lanes: Lanes;
  readonly #courier: Courier;
  #processing = 0;
  #waiterCount = 0;
  #unfinishedBytes = 0;
  #closing = false;
  #cancelSweep: () => void;

  constructor(options: MemoryRegistryOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#retention = new Retention(options.resultTtlMs);
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

  submit(newJob: NewJob): Promise<Result<Job>> {
    const known = this.#submittedBefore(newJob);
    if (known !== undefined) return Promise.resolve(known);
    const failure = this.#refusal(newJob);
    if (failure !== undefined) return Promise.resolve(failed(failure));
    const lane = laneOf(newJob);
    const bytes = unfinishedBytes(newJob);
    this.#evictRead(bytes);
    const job = createJob(newJobId(), newJob, this.#clock.nowMs());
    const entry: Entry = {
      job,
      queued: undefined,
      acceptedAtMs: this.#clock.monotonicMs(),
      bytes,
      kept: undefined,
      waiters: undefined,
      place: undefined,
    };
    entry.queued = this.#queued.push(entry);
    this.#entries.set(job.id, entry);
    this.#byKey.add(job);
    this.#laneLoad.add(lane);
    this.#unfinishedBytes += bytes;
    this.#options.onChange(job);
    entry.place = this.#lanes.enqueue(lane, job.id);
    return Promise.resolve(success(job));
  }

  check(newJob: NewJob): Promise<Failure | undefined> {
    const known = this.#submittedBefore(newJob);
    if (known === undefined) return Promise.resolve(this.#refusal(newJob));
    return Promise.resolve(known.ok ? undefined : known.failure);
  }

  get(id: JobId): Promise<Job | undefined> {
    return Promise.resolve(this.#entries.get(id)?.job);
  }

  async watch(id: JobId, options: WatchOptions): Promise<Result<Job>> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return failed({ code: 'unknown_job', detail: 'There is no such job.' });
    if (!this.#wouldHold(entry.job, options)) return success(entry.job);
    if (this.#waiterCount >= this.#options.maxWaiters) {
      return failed({
        code: 'too_many_waiters',
        retryAfterSeconds: 1,
        detail: 'The relay holds as many long polls as it may. Poll /export meanwhile.',
      });
    }
    const waiters = (entry.waiters ??= new JobWaiters());
    this.#waiterCount += 1;
    await waiters.wait(options, this.#clock);
    this.#waiterCount -= 1;
    if (waiters.size === 0 && entry.waiters === waiters) entry.waiters = undefined;
    return success(entry.job);
  }

  cancel(id: JobId): Promise<Job | undefined> {
    this.#settle(id, {
      kind: 'gave_up',
      error: { code: 'cancelled', message: 'The job was cancelled by its owner.' },
    });
    return this.get(id);
  }

  markRead(id: JobId): void {
    const kept = this.#entries.get(id)?.kept;
    if (kept !== undefined) this.#retention.markRead(kept);
  }

  stats(): RegistryStats {
    return {
      pending: this.#queued.size,
      processing: this.#processing,
      finished: this.#retention.size,
      waiters: this.#waiterCount,
      lanes: this.#lanes.size,
      running: this.#lanes.running,
      bytes: this.#bytes(),
    };
  }

  close(): void {
    this.#closing = true;
    this.#cancelSweep();
    for (const { waiters } of this.#entries.values()) waiters?.releaseAll();
  }

  async drain(graceMs: number): Promise<void> {
    this.#lanes.pause();
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(graceMs, resolve);
      void this.#lanes.onQuiet().then(() => {
        cancel();
        resolve();
      });
    });
    this.#courier.abandon();
  }

  #wouldHold(job: Job, { knownVersion, until, waitMs, signal }: WatchOptions): boolean {
    if (job.state === 'Finished' || waitMs <= 0 || this.#closing || signal?.aborted === true) return false;
    return until === 'Finished' || knownVersion === undefined || knownVersion === job.version;
  }

  /** The answer to a submission whose key a kept job has; it adds nothing, so no limit applies to it. */
  #submittedBefore(newJob: NewJob): Result<Job> | undefined {
    const id = this.#byKey.find(newJob);
    const entry = id === undefined ? undefined : this.#entries.get(id);
    return entry === undefined ? undefined : answerAgain(newJob, entry.job);
  }

  #refusal(newJob: NewJob): Failure | undefined {
    return refusal(
      {
        unfinished: this.#queued.size + this.#processing,
        unfinishedInLane: this.#laneLoad.of(laneOf(newJob)),
        bytes: this.#bytes() - this.#retention.readBytes + unfinishedBytes(newJob),
        closing: this.#closing,
        retryAfterSeconds: this.#drainRate.secondsUntil(1, this.#clock.monotonicMs()),
      },
      this.#options,
    );
  }

  /** The job as its next attempt begins, or `undefined` if it has ended meanwhile. */
  #begin(id: JobId): Job | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.job.state === 'Finished') return undefined;
    if (this.#macaroonExpired(entry.job)) return undefined;
    this.#leaveQueue(entry);
    this.#change(entry, startAttempt(entry.job, this.#clock.nowMs()));
    return entry.job;
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
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.job = endAttempt(entry.job, result, this.#clock.nowMs(), retryInMs);
  }

  #requeue(id: JobId): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.place = this.#lanes.enqueueFirst(laneOf(entry.job), id);
  }

  #leaveQueue(entry: Entry): void {
    if (entry.place !== undefined) this.#lanes.remove(entry.place);
    entry.place = undefined;
    if (entry.queued === undefined) return;
    this.#queued.remove(entry.queued);
    entry.queued = undefined;
    this.#processing += 1;
  }

  /** Ends a job; one that has ended already stays as it is. */
  #settle(id: JobId, result: JobResult): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.job.state === 'Finished') return;
    const nowMs = this.#clock.monotonicMs();
    this.#courier.recall(id);
    this.#leaveQueue(entry);
    this.#processing -= 1;
    this.#laneLoad.remove(laneOf(entry.job));
    this.#unfinishedBytes -= entry.bytes;
    const kept = this.#fit(entry.job, result);
    entry.kept = this.#retention.keep(id, nowMs, finishedBytes(entry.job, kept));
    this.#drainRate.note(nowMs);
    this.#change(entry, finish(entry.job, kept, this.#clock.nowMs()));
    this.#evictSurplus();
    this.#options.onFinished(entry.job);
  }

  #change(entry: Entry, job: Job): void {
    entry.job = job;
    this.#options.onChange(job);
    entry.waiters?.wake(job);
  }

  /** The result as it can be kept: without its body when memory is full even after read results have gone. */
  #fit(job: Job, result: JobResult): JobResult {
    const bytes = finishedBytes(job, result);
    this.#evictRead(bytes);
    return this.#bytes() + bytes <= this.#options.maxMemoryBytes ? result : withoutBody(result);
  }

  /** Payloads and kept responses together. */
  #bytes(): number {
    return this.#unfinishedBytes + this.#retention.bytes;
  }

  /** Lets results that were read go until `bytes` more fit. */
  #evictRead(bytes: number): void {
    while (this.#bytes() + bytes > this.#options.maxMemoryBytes) {
      const id = this.#retention.oldestRead();
      if (id === undefined) return;
      this.#forget(id);
    }
  }

  #evictSurplus(): void {
    while (this.#retention.size > this.#options.maxKept) {
      const id = this.#retention.oldestRead() ?? this.#retention.oldest();
      if (id === undefined) return;
      this.#forget(id);
    }
  }

  #forget(id: JobId): void {
    const entry = this.#entries.get(id);
    if (entry?.kept === undefined) throw new Error(`job ${id} is not among the finished`);
    this.#retention.forget(entry.kept);
    this.#byKey.forget(entry.job);
    this.#entries.delete(id);
  }

  #scheduleSweep(): () => void {
    return this.#clock.after(sweepIntervalMs, () => {
      this.#sweep(this.#clock.monotonicMs());
      this.#cancelSweep = this.#scheduleSweep();
    });
  }

  /** Ends what waited too long and forgets what was kept long enough. Both lists are in order of time. */
  #sweep(nowMs: number): void {
    const queueTimeoutMs = this.#options.queueTimeoutMs;
    for (let head = this.#queued.first; head !== undefined; head = this.#queued.first) {
      if (head.value.acceptedAtMs + queueTimeoutMs > nowMs) break;
      this.#settle(head.value.job.id, {
        kind: 'gave_up',
        error: { code: 'expired', message: 'The job waited too long for its first attempt.' },
      });
    }
    this.#courier.expire(nowMs);
    for (let id = this.#retention.oldest(); id !== undefined; id = this.#retention.oldest()) {
      const kept = this.#entries.get(id)?.kept;
      if (kept === undefined || kept.expiresAtMs > nowMs) break;
      this.#forget(id);
    }
  }
}
