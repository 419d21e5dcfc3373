import { setImmediate as breathe } from 'node:timers/promises';
import type { RefusalReport } from '../http/exports.js';
import type { AttemptReport } from '../job/courier.js';
import type { Job, JobId } from '../job/job.js';
import type { Groups, LaneFigures, Outcome, Span, Timeline, TimelineRange } from '../page/wire.js';
import { beginEntry, departureOf, detailOf, type Entry, nameOf, outcomeOf, pathOf } from './entry.js';
import { GroupIndex, tally } from './groups.js';
import { LaneIndex } from './lane_index.js';
import { Shelf } from './shelf.js';
import { TimelineLog } from './timeline.js';

export interface LedgerOptions {
  /**
   * Ended exports that are held, some 0.5 kB each and never more than 0.8 kB on average. Refusals have a shelf of
   * their own, a tenth of that: no flood of them can push exports out of the record.
   */
  readonly maxEntries: number;
  readonly nowMs: () => number;
}

/** What the record held when it was asked. */
export interface LedgerFigures {
  readonly revision: number;
  readonly pending: number;
  readonly processing: number;
  readonly held: number;
  readonly maxHeld: number;
  readonly forgotten: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
}

/** Jobs taken in one go: below a millisecond. */
const inOneGo = 500;

/**
 * The record, in memory and bounded, of what leaves, what left and what was refused. It is told of each change of a
 * job and takes of it what `Entry` lists. The audit log is the record that lasts; this one is for looking at.
 */
export class Ledger {
  readonly #nowMs: () => number;
  readonly #maxHeld: number;
  readonly #open = new Map<JobId, Entry>();
  readonly #exports: Shelf;
  readonly #refusals: Shelf;
  readonly #apps = new GroupIndex();
  readonly #destinations = new GroupIndex();
  readonly #lanes = new LaneIndex();
  readonly #timeline = new TimelineLog();
  readonly #outcomes: Record<Outcome, number> = {
    delivered: 0,
    declined: 0,
    failed: 0,
    cancelled: 0,
    refused: 0,
  };
  readonly #watchers = new Set<() => void>();
  /** Of the newest entry. Thousands that come back from a journal mostly go to the same place. */
  #latest: (Pick<Job, 'destination'> & ReturnType<typeof pathOf>) | undefined;
  /** While jobs are taken in that came back: those that have been told of meanwhile. */
  #overtaken: Set<JobId> | undefined;
  #keys = 0;
  #seqs = 0;
  #revision = 0;
  #processing = 0;

  constructor({ maxEntries, nowMs }: LedgerOptions) {
    const maxRefusals = Math.ceil(maxEntries / 10);
    this.#nowMs = nowMs;
    this.#maxHeld = maxEntries + maxRefusals;
    const onForget = (entry: Entry): void => this.#forget(entry);
    this.#exports = new Shelf({ maxEntries, onForget });
    this.#refusals = new Shelf({ maxEntries: maxRefusals, onForget });
  }

  /** Notes a job as it stands: a new one, or one that has changed. */
  readonly onChange = (job: Job): void => {
    this.#overtaken?.add(job.id);
    this.#note(job);
  };

  /**
   * Takes in jobs that a journal brought back, in the order in which they were accepted, a few at a time: nothing else
   * waits for all of them. Until it resolves, those are missing that have not had their turn. To be called before any of
   * them can change.
   */
  async restore(jobs: readonly Job[]): Promise<void> {
    const overtaken = new Set<JobId>();
    this.#overtaken = overtaken;
    await breathe();
    const inTurn = resultsFirst(jobs);
    for (let at = 0; at < inTurn.length; at += inOneGo) {
      if (at > 0) await breathe();
      for (const job of inTurn.slice(at, at + inOneGo)) if (!overtaken.has(job.id)) this.#note(job);
    }
    this.#overtaken = undefined;
  }

  #note(job: Job): void {
    const entry = this.#open.get(job.id) ?? this.#accept(job);
    if (entry.state === 'Processing') this.#processing -= 1;
    entry.state = job.state;
    entry.attempts = job.attempts;
    entry.retryAtMs = undefined;
    if (job.state === 'Processing') {
      this.#processing += 1;
      entry.left = 'perhaps';
      entry.connected = true;
    }
    if (job.result !== undefined) this.#end(job.id, entry, job);
    this.#changed();
  }

  /** Notes why an attempt did not end its job, and when the next one is due. */
  readonly onAttempt = ({ job, outcome, retryInMs }: AttemptReport): void => {
    const entry = this.#open.get(job.id);
    if (entry === undefined) return;
    entry.connected = outcome.kind === 'answered' || outcome.address !== undefined;
    entry.status = outcome.kind === 'answered' ? outcome.answer.statusCode : undefined;
    entry.code = outcome.kind === 'failed' ? outcome.error.code : undefined;
    entry.detail = outcome.kind === 'failed' ? outcome.error.internal : undefined;
    entry.retryAtMs = retryInMs === undefined ? undefined : this.#nowMs() + retryInMs;
    this.#changed();
  };

  /** Notes a submission that was not permitted. One that is like the one before it is counted there. */
  readonly onRefusal = ({ owner, destination, purpose, dataBytes, failure }: RefusalReport): void => {
    const atMs = this.#nowMs();
    const entry = this.#begin({ owner, destination, purpose, ref: '', bytes: dataBytes, createdAtMs: atMs });
    entry.state = 'Refused';
    entry.outcome = 'refused';
    entry.code = failure.code;
    entry.detail = detailOf(failure);
    entry.endedAtMs = atMs;
    this.#timeline.add(entry, atMs);
    const like = this.#refusals.takeNewest((newest) => areAlike(newest, entry));
    if (like !== undefined) {
      tally(like, -1);
      entry.times += like.times;
    }
    entry.seq = this.#seqs += 1;
    tally(entry, 1);
    this.#refusals.push(entry);
    this.#outcomes.refused += 1;
    this.#changed();
  };

  /** Calls back at every change, at once: the callee must be quick. The function returned ends that. */
  watch(callback: () => void): () => void {
    this.#watchers.add(callback);
    return () => this.#watchers.delete(callback);
  }

  /** What is on its way, oldest first. */
  open(): IterableIterator<Entry> {
    return this.#open.values();
  }

  /** The newest of what ended before `seq`, be it export or refusal. */
  endedBefore(seq: number): Entry | undefined {
    const one = this.#exports.before(seq);
    const other = this.#refusals.before(seq);
    if (one === undefined || other === undefined) return one ?? other;
    return one.seq > other.seq ? one : other;
  }

  figures(): LedgerFigures {
    return {
      revision: this.#revision,
      pending: this.#open.size - this.#processing,
      processing: this.#processing,
      held: this.#exports.size + this.#refusals.size,
      maxHeld: this.#maxHeld,
      forgotten: this.#exports.forgotten + this.#refusals.forgotten,
      outcomes: { ...this.#outcomes },
    };
  }

  apps(): Groups {
    return this.#apps.summary();
  }

  destinations(): Groups {
    return this.#destinations.summary();
  }

  fullestLanes(): readonly LaneFigures[] {
    return this.#lanes.fullest();
  }

  timeline(range: TimelineRange): Timeline {
    return this.#timeline.read(range, this.#nowMs());
  }

  last24Hours(): Span {
    return this.#timeline.total(this.#nowMs());
  }

  #accept({ id, owner, destination, purpose, dataBytes: bytes, createdAtMs }: Job): Entry {
    const entry = this.#begin({ owner, destination, purpose, ref: id.slice(0, 8), bytes, createdAtMs });
    this.#open.set(id, entry);
    this.#lanes.add(entry);
    tally(entry, 1);
    return entry;
  }

  #begin(
    from: Pick<Entry, 'ref' | 'purpose' | 'bytes' | 'createdAtMs'> & Pick<Job, 'owner' | 'destination'>,
  ): Entry {
    const { owner, destination, ref, purpose, bytes, createdAtMs } = from;
    const app = this.#apps.find(nameOf(owner));
    const place = this.#destinations.find(nameOf(destination.origin));
    const latest = this.#latest?.destination === destination ? this.#latest : undefined;
    const { path, query } = (this.#latest = latest ?? { destination, ...pathOf(destination) });
    this.#keys += 1;
    return beginEntry({
      key: this.#keys,
      ref,
      app,
      destination: place,
      path,
      query,
      purpose,
      bytes,
      createdAtMs,
    });
  }

  #end(id: JobId, entry: Entry, { result, attemptRecords, updatedAtMs }: Job): void {
    if (result === undefined) return;
    this.#open.delete(id);
    this.#lanes.remove(entry);
    tally(entry, -1);
    const lastCode = entry.code;
    entry.outcome = outcomeOf(result);
    entry.left = departureOf({ attemptRecords }, entry);
    entry.endedAtMs = updatedAtMs;
    entry.status = result.kind === 'answered' ? result.answer.statusCode : undefined;
    entry.code = result.kind === 'gave_up' ? result.error.code : undefined;
    if (entry.code !== lastCode) entry.detail = undefined;
    entry.seq = this.#seqs += 1;
    tally(entry, 1);
    this.#outcomes[entry.outcome] += 1;
    this.#timeline.add(entry, updatedAtMs);
    this.#exports.push(entry);
  }

  #forget(entry: Entry): void {
    tally(entry, -1);
    this.#apps.dropEmpty(entry.app);
    this.#destinations.dropEmpty(entry.destination);
    if (entry.outcome !== undefined) this.#outcomes[entry.outcome] -= entry.times;
  }

  #changed(): void {
    this.#revision += 1;
    for (const callback of this.#watchers) callback();
  }
}

/** What has ended, in the order in which it did, because so it is shown and makes room; then the others as they were. */
function resultsFirst(jobs: readonly Job[]): readonly Job[] {
  const finished = jobs.filter(({ state }) => state === 'Finished');
  const unfinished = jobs.filter(({ state }) => state !== 'Finished');
  return [...finished.sort((a, b) => a.updatedAtMs - b.updatedAtMs), ...unfinished];
}

function areAlike(one: Entry, other: Entry): boolean {
  return (
    one.app === other.app &&
    one.destination === other.destination &&
    one.path === other.path &&
    one.purpose === other.purpose &&
    one.code === other.code &&
    one.detail === other.detail
  );
}
