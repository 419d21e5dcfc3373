import { type AdmissionLimits, type AdmissionLoad } from './admission.js';
import { finishedBytes, unfinishedBytes, withoutBody } from './footprint.js';
import { IdempotencyIndex } from './idempotency.js';
import { type Job, type JobId, type JobResult, type NewJob, laneOf } from './job.js';
import type { LanePlace } from './lanes.js';
import { LinkedList, type Node } from './linked_list.js';
import { type Kept, Retention } from './retention.js';
import { accountOf, leavesRoom, Shares } from './shares.js';
import type { JobWaiters } from './waiters.js';

/** A job and where it stands. */
export interface Entry {
  /** As clients may see it. */
  job: Job;
  /** Pending: its place in the order of acceptance, for the queue timeout. */
  queued: Node<Entry> | undefined;
  /** Monotonic. */
  readonly acceptedAtMs: number;
  /** Its share of the memory limit while it is unfinished. */
  bytes: number;
  /** Finished: its place among the kept. */
  kept: Kept | undefined;
  waiters: JobWaiters | undefined;
  /** Waiting for a turn: its place in its lane. */
  place: LanePlace | undefined;
  /** While it is written for the first time, and nobody knows of it yet: whether the store took it. */
  arriving: Promise<boolean> | undefined;
  /** While its end is written and nobody sees it yet: whether the store took it when it was first asked. */
  ending: Promise<boolean> | undefined;
}

export interface JobTableOptions extends Pick<AdmissionLimits, 'maxMemoryBytes'> {
  readonly maxKept: number;
  /** How long a Finished job is kept. */
  readonly resultTtlMs: number;
  /** Told of each Finished job that has made way. */
  readonly onForgotten: (id: JobId) => void;
}

/** Which jobs there are, what they take of the memory limit, and which of them make way for others. */
export class JobTable {
  readonly #options: JobTableOptions;
  readonly #entries = new Map<JobId, Entry>();
  readonly #byKey = new IdempotencyIndex();
  /** Unfinished jobs, by lane and by account. */
  readonly #inLane = new Shares();
  readonly #ofAccount = new Shares();
  readonly #bytesOfAccount = new Shares();
  readonly #queued = new LinkedList<Entry>();
  readonly #retention: Retention;
  #processing = 0;
  #unfinishedBytes = 0;

  constructor(options: JobTableOptions) {
    this.#options = options;
    this.#retention = new Retention(options.resultTtlMs);
  }

  get pending(): number {
    return this.#queued.size;
  }

  /** Begun and not at their end, or not yet seen to be. */
  get processing(): number {
    return this.#processing;
  }

  get finished(): number {
    return this.#retention.size;
  }

  /** Payloads and kept responses together. */
  get bytes(): number {
    return this.#unfinishedBytes + this.#retention.bytes;
  }

  get(id: JobId): Entry | undefined {
    return this.#entries.get(id);
  }

  entries(): IterableIterator<Entry> {
    return this.#entries.values();
  }

  /** The job that was submitted with the same idempotency key. */
  submittedBefore(newJob: NewJob): Entry | undefined {
    const id = this.#byKey.find(newJob);
    return id === undefined ? undefined : this.#entries.get(id);
  }

  /** What a new job would meet, as far as it can be seen here. */
  loadFor(newJob: NewJob): AdmissionLoad {
    const account = accountOf(newJob);
    const bytes = unfinishedBytes(newJob);
    return {
      unfinished: this.#queued.size + this.#processing,
      unfinishedOfAccount: this.#ofAccount.of(account),
      unfinishedInLane: this.#inLane.of(laneOf(newJob)),
      bytes: this.bytes - this.#retention.readBytes + bytes,
      bytesOfAccount: this.#bytesOfAccount.of(account) + bytes,
    };
  }

  /** Takes in an unfinished job; results already read make way for it. */
  add(job: Job, acceptedAtMs: number): Entry {
    const bytes = unfinishedBytes(job);
    this.#evictRead(bytes);
    const entry = entryOf(job, bytes, acceptedAtMs);
    if (job.state === 'Pending') entry.queued = this.#queued.push(entry);
    else this.#processing += 1;
    this.#entries.set(job.id, entry);
    this.#byKey.add(job);
    this.#inLane.add(laneOf(job), 1);
    this.#ofAccount.add(accountOf(job), 1);
    this.#hold(job, bytes);
    return entry;
  }

  /** Takes in a job that had finished `ageMs` ago. */
  addFinished(job: Job, result: JobResult, ageMs: number, nowMs: number): void {
    const entry = entryOf(job, 0, nowMs);
    this.#keep(entry, job, result, nowMs - ageMs);
    this.#entries.set(job.id, entry);
    this.#byKey.add(job);
  }

  /** Takes out a job that nobody has seen. */
  drop(entry: Entry): void {
    this.leaveQueue(entry);
    this.#removeUnfinished(entry);
    this.#byKey.forget(entry.job);
    this.#entries.delete(entry.job.id);
  }

  /** The job that waits longest for its first attempt. */
  longestQueued(): Entry | undefined {
    return this.#queued.first?.value;
  }

  /** Its first attempt begins, or there will be none. */
  leaveQueue(entry: Entry): void {
    if (entry.queued === undefined) return;
    this.#queued.remove(entry.queued);
    entry.queued = undefined;
    this.#processing += 1;
  }

  /**
   * Makes room for a result beside what the job holds until its end is seen. The result as it can be kept: without its
   * body when memory is full even after read results have gone.
   */
  fit(entry: Entry, result: JobResult): JobResult {
    const bytes = finishedBytes(entry.job, result);
    // What the job itself gives back counts as free.
    this.#evictRead(bytes - entry.bytes);
    const ofAccount = this.#bytesOfAccount.of(accountOf(entry.job)) + bytes - entry.bytes;
    const fits = leavesRoom(this.bytes + bytes - entry.bytes, ofAccount, this.#options.maxMemoryBytes);
    const kept = fits ? result : withoutBody(result);
    const held = Math.max(entry.bytes, finishedBytes(entry.job, kept));
    this.#hold(entry.job, held - entry.bytes);
    entry.bytes = held;
    return kept;
  }

  /** The end of a job, as it is seen. Those that make way for it are forgotten. */
  keep(entry: Entry, job: Job, result: JobResult, nowMs: number): void {
    this.#removeUnfinished(entry);
    entry.job = job;
    this.#keep(entry, job, result, nowMs);
  }

  /** Notes that a client has got the result. */
  markRead(id: JobId): void {
    const kept = this.#entries.get(id)?.kept;
    if (kept !== undefined) this.#retention.markRead(kept);
  }

  /** Lets go of those above `maxKept`. */
  evictSurplus(): void {
    while (this.#retention.size > this.#options.maxKept) {
      const id = this.#retention.oldestRead() ?? this.#retention.oldest();
      if (id === undefined) return;
      this.#forget(id);
    }
  }

  /** Lets go of those that were kept long enough. */
  evictExpired(nowMs: number): void {
    for (let id = this.#retention.oldest(); id !== undefined; id = this.#retention.oldest()) {
      const kept = this.#entries.get(id)?.kept;
      if (kept === undefined || kept.expiresAtMs > nowMs) return;
      this.#forget(id);
    }
  }

  /** Lets results that were read go until `bytes` more fit. */
  #evictRead(bytes: number): void {
    while (this.bytes + bytes > this.#options.maxMemoryBytes) {
      const id = this.#retention.oldestRead();
      if (id === undefined) return;
      this.#forget(id);
    }
  }

  #removeUnfinished(entry: Entry): void {
    this.#processing -= 1;
    this.#inLane.add(laneOf(entry.job), -1);
    this.#ofAccount.add(accountOf(entry.job), -1);
    this.#hold(entry.job, -entry.bytes);
  }

  /** Notes what an unfinished job holds more, or less. */
  #hold(job: Job, bytes: number): void {
    this.#unfinishedBytes += bytes;
    this.#bytesOfAccount.add(accountOf(job), bytes);
  }

  #keep(entry: Entry, job: Job, result: JobResult, sinceMs: number): void {
    const bytes = finishedBytes(job, result);
    entry.kept = this.#retention.keep(job.id, sinceMs, bytes);
    this.#bytesOfAccount.add(accountOf(job), bytes);
  }

  #forget(id: JobId): void {
    const entry = this.#entries.get(id);
    if (entry?.kept === undefined) throw new Error(`job ${id} is not among the finished`);
    this.#retention.forget(entry.kept);
    this.#bytesOfAccount.add(accountOf(entry.job), -entry.kept.bytes);
    this.#byKey.forget(entry.job);
    this.#entries.delete(id);
    this.#options.onForgotten(id);
  }
}

function entryOf(job: Job, bytes: number, acceptedAtMs: number): Entry {
  return {
    job,
    queued: undefined,
    acceptedAtMs,
    bytes,
    kept: undefined,
    waiters: undefined,
    place: undefined,
    arriving: undefined,
    ending: undefined,
  };
}
