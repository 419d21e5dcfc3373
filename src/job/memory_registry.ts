import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import { type Failure, type Result, failed, success } from '../failure.js';
import { type AdmissionLimits, refusal } from './admission.js';
import { Courier, type CourierOptions } from './courier.js';
import { DrainRate } from './drain_rate.js';
import {
  type Job,
  type JobId,
  type JobResult,
  type NewJob,
  createJob,
  finish,
  laneOf,
  parseJobId,
  startAttempt,
} from './job.js';
import { type LanePlace, Lanes, type LanesOptions } from './lanes.js';
import { LinkedList, type Node } from './linked_list.js';
import type { JobRegistry, RegistryStats, WatchOptions } from './registry.js';
import { type Kept, Retention } from './retention.js';
import { JobWaiters } from './waiters.js';

export interface MemoryRegistryOptions
  extends
    AdmissionLimits,
    Omit<LanesOptions, 'run'>,
    Pick<CourierOptions, 'limits' | 'deliver' | 'random' | 'onAttempt'> {
  readonly clock: Clock;
  readonly maxKept: number;
  readonly maxWaiters: number;
  /** How long a Finished job is kept. */
  readonly resultTtlMs: number;
  /** Accepted to first attempt. */
  readonly queueTimeoutMs: number;
  /** Told once about each job that ends, after its waiters have been woken. */
  readonly onFinished: (job: Job) => void;
}

/** A job and where it stands. */
interface Entry {
  job: Job;
  /** Pending: its place in the order of acceptance, for the queue timeout. */
  queued: Node<Entry> | undefined;
  readonly acceptedAtMs: number;
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
  readonly #laneLoad = new Map<string, number>();
  readonly #queued = new LinkedList<Entry>();
  readonly #retention: Retention;
  readonly #drainRate = new DrainRate();
  readonly #lanes: Lanes;
  readonly #courier: Courier;
  #processing = 0;
  #waiterCount = 0;
  #bytes = 0;
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
      requeue: (id) => this.#requeue(id),
    });
    this.#lanes = new Lanes({ ...options, run: (id) => this.#courier.attempt(id) });
    this.#cancelSweep = this.#scheduleSweep();
  }

  submit(newJob: NewJob): Promise<Result<Job>> {
    const lane = laneOf(newJob);
    const failure = this.#refusal(newJob, lane);
    if (failure !== undefined) return Promise.resolve(failed(failure));
    const job = createJob(newId(), newJob, this.#clock.nowMs());
    const entry: Entry = {
      job,
      queued: undefined,
      acceptedAtMs: this.#clock.monotonicMs(),
      kept: undefined,
      waiters: undefined,
      place: undefined,
    };
    entry.queued = this.#queued.push(entry);
    this.#entries.set(job.id, entry);
    this.#laneLoad.set(lane, (this.#laneLoad.get(lane) ?? 0) + 1);
    this.#bytes += job.dataBytes;
    entry.place = this.#lanes.enqueue(lane, job.id);
    return Promise.resolve(success(job));
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
      bytes: this.#bytes,
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

  #refusal(newJob: NewJob, lane: string): Failure | undefined {
    this.#evictRead(newJob.dataBytes);
    return refusal(
      {
        unfinished: this.#queued.size + this.#processing,
        unfinishedInLane: this.#laneLoad.get(lane) ?? 0,
        bytes: this.#bytes + newJob.dataBytes,
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
    this.#settle(job.id, {
      kind: 'gave_up',
      error: { code: 'expired', message: 'The macaroon of the job expired before this attempt.' },
    });
    return true;
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
    this.#leaveLane(laneOf(entry.job));
    this.#bytes -= entry.job.dataBytes;
    const kept = this.#fit(result);
    this.#bytes += resultBytes(kept);
    entry.kept = this.#retention.keep(id, nowMs);
    this.#drainRate.note(nowMs);
    this.#change(entry, finish(entry.job, kept, this.#clock.nowMs()));
    this.#evictSurplus();
    this.#options.onFinished(entry.job);
  }

  #leaveLane(lane: string): void {
    const load = (this.#laneLoad.get(lane) ?? 1) - 1;
    if (load === 0) this.#laneLoad.delete(lane);
    else this.#laneLoad.set(lane, load);
  }

  #change(entry: Entry, job: Job): void {
    entry.job = job;
    entry.waiters?.wake(job);
  }

  /** The result as it can be kept: without its body when memory is full even after read results have gone. */
  #fit(result: JobResult): JobResult {
    const bytes = resultBytes(result);
    if (result.kind !== 'answered' || bytes === 0) return result;
    this.#evictRead(bytes);
    if (this.#bytes + bytes <= this.#options.maxMemoryBytes) return result;
    return { kind: 'answered', answer: { ...result.answer, body: '', encoding: 'utf-8', truncated: true } };
  }

  /** Lets results that were read go until `bytes` more fit. */
  #evictRead(bytes: number): void {
    while (this.#bytes + bytes > this.#options.maxMemoryBytes) {
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
    this.#entries.delete(id);
    if (entry.job.result !== undefined) this.#bytes -= resultBytes(entry.job.result);
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

function newId(): JobId {
  const id = parseJobId(randomUUID());
  if (id === undefined) throw new Error('randomUUID gave no UUID v4');
  return id;
}

function resultBytes(result: JobResult): number {
  return result.kind === 'answered' ? Buffer.byteLength(result.answer.body) : 0;
}
