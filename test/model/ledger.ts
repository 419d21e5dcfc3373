import { isDeepStrictEqual } from 'node:util';
import type { Delivery } from '#relay/delivery/send.js';
import { finishedBytes, unfinishedBytes } from '#relay/job/footprint.js';
import { type Job, type JobId, type NewJob, isLegalTransition, laneOf } from '#relay/job/job.js';
import type { RegistryStats } from '#relay/job/registry.js';
import { maxInterruptions } from '#relay/job/resume.js';

/** The windows and bounds that every run keeps to: small, so that a run passes through all of them. */
export const bounds = {
  limits: { attempts: 3, attemptTimeoutMs: 3000, jobTimeoutMs: 10_000 },
  queueTimeoutMs: 15_000,
  resultTtlMs: 20_000,
  maxQueued: 10,
  maxQueuedPerLane: 4,
  concurrency: 3,
  laneConcurrency: 1,
  maxWaiters: 5,
};

/** Deadlines that a sweep looks after are met to the second. */
const sweepMs = 1000;

/** What a client and a destination together know of one submission. */
export interface Known {
  readonly number: number;
  readonly from: NewJob;
  readonly askedAtMs: number;
  /** `asked`: there is no answer yet; after a stop it may turn out either way. */
  status: 'asked' | 'accepted' | 'refused' | 'forgotten';
  /** As it was last shown. */
  seen: Job | undefined;
  seenAtMs: number;
  /** When each version was first reported. */
  readonly shownAtMs: Map<number, number>;
  cancelled: boolean;
  attempts: number;
  flying: boolean;
  /** Its end was shown before it could be written: a stop may take that back. */
  late: boolean;
}

/** What was promised so far. Whatever breaks a promise throws. Times are wall clock, which nobody sets here. */
export class Ledger {
  readonly known: Known[] = [];
  readonly #stored: ReadonlyMap<JobId, Job>;

  /** `stored` is what the journal has confirmed. */
  constructor(stored: ReadonlyMap<JobId, Job>) {
    this.#stored = stored;
  }

  asks(from: NewJob, nowMs: number): Known {
    const known: Known = {
      number: this.known.length,
      from,
      askedAtMs: nowMs,
      status: 'asked',
      seen: undefined,
      seenAtMs: nowMs,
      shownAtMs: new Map(),
      cancelled: false,
      attempts: 0,
      flying: false,
      late: false,
    };
    this.known.push(known);
    return known;
  }

  of(job: Job): Known {
    const known = this.known[Number(job.purpose)];
    must(known !== undefined, 'a job that nobody asked for');
    return known;
  }

  unfinished(lane?: string): number {
    return this.known.filter((one) => isUnfinished(one) && (lane ?? laneOf(one.from)) === laneOf(one.from))
      .length;
  }

  /** A job as somebody reads it, or as a change is reported. */
  shows(job: Job, nowMs: number, isChange = false): void {
    const known = this.of(job);
    const { seen } = known;
    must(known.status !== 'refused', 'a refused job is there');
    known.status = 'accepted';
    must(seen === undefined || seen.id === job.id, 'two jobs for one submission');
    if (seen === undefined) must(job.version === 1 && job.state === 'Pending', 'it begins as Pending, 1');
    else if (seen.version === job.version) must(seen.state === job.state, 'two states of one version');
    else {
      must(job.version > seen.version, 'versions grow');
      must(!isChange || job.version === seen.version + 1, 'every version is reported');
      must(isLegalTransition(seen.state, job.state), `${seen.state} to ${job.state}`);
    }
    if (seen?.state === 'Finished') must(isDeepStrictEqual(seen, job), 'what is Finished stays as it is');
    if (isChange && job.state === 'Finished') {
      known.late = !isDeepStrictEqual(this.#stored.get(job.id), job);
      must(
        !known.late || nowMs - job.updatedAtMs >= bounds.limits.jobTimeoutMs,
        'an end shown before it is written',
      );
    }
    if (job !== seen) known.seenAtMs = nowMs;
    if (isChange) known.shownAtMs.set(job.version, nowMs);
    known.seen = job;
  }

  /** An attempt leaves. Only without faults is the moment of its record the one in which its turn came. */
  begins({ idempotencyKey, data }: Delivery, nowMs: number, withoutFaults: boolean): Known {
    const known = this.known.find(({ seen }) => seen?.id === idempotencyKey);
    must(known?.seen !== undefined, 'an attempt of a job that nobody was told of');
    const { seen, from } = known;
    const stored = this.#stored.get(seen.id);
    must(stored?.state === 'Processing' && stored.attempts === seen.attempts, 'an attempt not written');
    must(seen.state === 'Processing' && !known.cancelled, `an attempt of a job that is ${seen.state}`);
    must(data === from.data, 'other data');
    must(from.expiresAtMs === undefined || nowMs < from.expiresAtMs, 'an attempt after its macaroon');
    const inLane = this.known.filter((one) => laneOf(one.from) === laneOf(from));
    must(!inLane.some(({ flying }) => flying), 'two attempts in flight in one lane');
    if (known.attempts === 0 && seen.attempts === 1) {
      must(nowMs - known.askedAtMs <= bounds.queueTimeoutMs + 2 * sweepMs, 'begun after the queue timeout');
      const waiting = inLane.find((one) => one.number < known.number && this.#mustGoFirst(one, nowMs));
      must(waiting === undefined, 'a later job of the lane goes first');
    }
    if (seen.attempts === 1 && withoutFaults) {
      const turnAtMs = seen.attemptRecords[0]?.begunAtMs ?? nowMs;
      const due = inLane.find((one) => one !== known && this.#isDue(one, turnAtMs));
      must(due === undefined, 'a retry that is due does not go first');
    }
    known.attempts += 1;
    must(known.attempts <= bounds.limits.attempts + maxInterruptions, 'too many attempts');
    known.flying = true;
    return known;
  }

  /** The relay is gone, and this is what the next one finds. */
  stops(left: readonly Job[], nowMs: number): void {
    for (const known of this.known) known.flying = false;
    const found = new Map(left.map((job) => [this.of(job), job]));
    must(found.size === left.length, 'one submission came back as two jobs');
    for (const known of this.known) {
      const job = found.get(known);
      if (known.status === 'accepted' && job === undefined) this.misses(known, nowMs);
      if (known.status === 'refused') must(job === undefined, 'a refused job came back');
      if (known.status === 'forgotten' && job !== undefined) known.status = 'accepted';
      if (known.status === 'asked') known.status = job === undefined ? 'refused' : 'accepted';
      if (job === undefined) continue;
      const begunNever = known.seen === undefined || known.late;
      must(begunNever || job.version >= (known.seen?.version ?? 0), 'a version went back');
      if (known.seen?.state === 'Finished' && !known.late) {
        must(isDeepStrictEqual(known.seen, job), 'an end changed');
      }
      if (known.seen?.state !== 'Finished' || known.late) known.seenAtMs = nowMs;
      known.seen = job;
      known.cancelled &&= job.state === 'Finished';
    }
  }

  /** No such job, says the relay. */
  misses(known: Known, nowMs: number): void {
    if (known.status === 'forgotten') return;
    must(known.seen?.state === 'Finished', 'an unfinished job is gone');
    must(nowMs - known.seen.updatedAtMs >= bounds.resultTtlMs, 'a result went before its time');
    known.status = 'forgotten';
  }

  /** While nothing is being written and no fault delays anything. */
  settles(stats: RegistryStats, waiters: number, nowMs: number): void {
    const there = this.known.filter(({ status }) => status === 'accepted');
    const count = (state: string): number => there.filter(({ seen }) => seen?.state === state).length;
    const { pending, processing, finished, running, bytes } = stats;
    const states = { Pending: pending, Processing: processing, Finished: finished };
    for (const [state, figure] of Object.entries(states)) {
      must(figure === count(state), `${figure} are ${state} of ${count(state)}`);
    }
    must(running === this.known.filter(({ flying }) => flying).length, `${running} are running`);
    must(stats.waiters === waiters, `${stats.waiters} waiters of ${waiters}`);
    const total = there.reduce((sum, { seen }) => sum + bytesOf(seen), 0);
    must(bytes === total, `${bytes} bytes of ${total}`);
    for (const { seen, seenAtMs, askedAtMs } of there) {
      if (seen?.state === 'Pending') {
        must(nowMs - askedAtMs < bounds.queueTimeoutMs + sweepMs, 'Pending after the queue timeout');
      }
      if (seen?.state === 'Processing') {
        must(nowMs - seenAtMs < bounds.limits.jobTimeoutMs + sweepMs, 'Processing after the job timeout');
      }
      if (seen?.state === 'Finished') {
        must(nowMs - seenAtMs < bounds.resultTtlMs + sweepMs, 'a result outlives its time');
      }
    }
  }

  /** Whether a job has waited long enough for its next attempt, and not so long that it ends instead. */
  #isDue({ status, seen, flying, cancelled, from }: Known, nowMs: number): boolean {
    if (status !== 'accepted' || seen?.state !== 'Processing' || flying || cancelled) return false;
    const records = this.#stored.get(seen.id)?.attemptRecords ?? [];
    const [first, last] = [records[0], records.at(-1)];
    if (first === undefined || last?.endedAtMs === undefined || last.retryInMs === undefined) return false;
    const ends = Math.min(from.expiresAtMs ?? Infinity, first.begunAtMs + bounds.limits.jobTimeoutMs);
    return last.endedAtMs + last.retryInMs < nowMs && nowMs < ends;
  }

  /** Whether a job of the lane should have been attempted before any later one. */
  #mustGoFirst({ seen, status, cancelled, askedAtMs, from }: Known, nowMs: number): boolean {
    // Its end may be decided and on its way to the disk.
    const ends = cancelled || nowMs >= (from.expiresAtMs ?? Infinity);
    const expires = nowMs - askedAtMs >= bounds.queueTimeoutMs;
    return status === 'accepted' && seen?.state === 'Pending' && !ends && !expires;
  }
}

export function isUnfinished({ status, seen }: Known): boolean {
  return status === 'asked' || (status === 'accepted' && seen?.state !== 'Finished');
}

function bytesOf(job: Job | undefined): number {
  if (job === undefined) return 0;
  return job.result === undefined ? unfinishedBytes(job) : finishedBytes(job, job.result);
}

export function must(condition: boolean, promise: string): asserts condition {
  if (!condition) throw new Error(`broken: ${promise}`);
}
