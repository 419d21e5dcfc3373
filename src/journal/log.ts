import type { Clock } from '../clock.js';
import type { JobId } from '../job/job.js';
import { type BatchFrame, type Change, composeBatch, composeCopies } from './batch.js';
import { damagedAt } from './chain.js';
import { findCopies, needsCleaning, nextCopies } from './cleaning.js';
import type { LiveJobs, Place } from './live_jobs.js';
import type { SegmentStore } from './segment_store.js';
import { closedError, toWriteError } from './write_error.js';

export interface LogOptions {
  readonly clock: Clock;
  readonly segmentBytes: number;
  /** Told once about damage found while running: a clause. What is affected stays where it is. */
  readonly onDamage: (why: string) => void;
  /** Told of each commit, once it is durable. */
  readonly onCommit: (durationMs: number) => void;
}

export interface LogStats {
  readonly jobs: number;
  readonly segments: number;
  /** Of all segments, without the room made ahead. */
  readonly sizeBytes: number;
  /** Of this, what counts; the rest is on its way out. */
  readonly liveBytes: number;
  readonly commits: number;
  readonly failedCommits: number;
  /** Dead payloads that could not be overwritten now; the next start does. */
  readonly failedScrubs: number;
  /** From the beginning of the write until it was durable. */
  readonly lastCommitMs: number;
}

interface Waiting {
  readonly id: JobId;
  readonly change: Change;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Keeps one commit short, so that those who come meanwhile do not wait long. */
const maxCommitBytes = 4 * 1024 * 1024;
const maxCommitChanges = 1024;
const maxCopyBytes = 512 * 1024;
const commitsBetweenTries = 256;

/** Commits changes one batch after another: those that come while one is being written share the next. */
export class Log {
  readonly #store: SegmentStore;
  readonly #live: LiveJobs;
  readonly #options: LogOptions;
  #waiting: Waiting[] = [];
  #nextOrder: number;
  #running: Promise<void> | undefined;
  #closed = false;
  #damageTold = false;
  #tidyAfterCommits = 0;
  #failedScrubs = 0;
  #commits = 0;
  #failedCommits = 0;
  #lastCommitMs = 0;

  constructor(
    store: SegmentStore,
    state: { readonly live: LiveJobs; readonly nextOrder: number },
    options: LogOptions,
  ) {
    this.#store = store;
    this.#live = state.live;
    this.#nextOrder = state.nextOrder;
    this.#options = options;
  }

  /** Resolves once this and everything before it is durable. */
  write(id: JobId, change: Change): Promise<void> {
    if (this.#closed) return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ id, change, resolve, reject });
      // Not at once: what else comes in this turn of the event loop goes along.
      this.#running ??= new Promise<void>((begin) => setImmediate(begin)).then(() => this.#run());
    });
  }

  stats(): LogStats {
    const { segments } = this.#store;
    return {
      jobs: this.#live.size,
      segments: segments.length,
      sizeBytes: segments.reduce((sum, { end }) => sum + end, 0),
      liveBytes: segments.reduce((sum, { liveBytes }) => sum + liveBytes, 0),
      commits: this.#commits,
      failedCommits: this.#failedCommits,
      failedScrubs: this.#failedScrubs,
      lastCommitMs: this.#lastCommitMs,
    };
  }

  /** Writes what is waiting, then closes the files. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#running;
    await this.#store.close();
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#commitWaiting();
      await this.#tidy();
    }
    this.#running = undefined;
  }

  async #commitWaiting(): Promise<void> {
    const batch = this.#takeWaiting();
    if (batch.length === 0) return;
    // Of several changes to one job only the last needs to be written.
    const changes = new Map(batch.map(({ id, change }) => [id, change]));
    try {
      const { frames, nextOrder } = composeBatch(changes, this.#live, this.#nextOrder);
      await this.#commit(frames);
      this.#nextOrder = nextOrder;
    } catch (error) {
      this.#failedCommits += 1;
      const failure = toWriteError(error);
      for (const { reject } of batch) reject(failure);
      return;
    }
    for (const { resolve } of batch) resolve();
  }

  #takeWaiting(): readonly Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { change } of this.#waiting) {
      if (bytes >= maxCommitBytes || count >= maxCommitChanges) break;
      if (typeof change !== 'string') bytes += change.data.length;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #commit(frames: readonly BatchFrame[]): Promise<void> {
    if (frames.length === 0) return;
    const startedAtMs = this.#options.clock.monotonicMs();
    const places = await this.#store.append(frames);
    this.#lastCommitMs = this.#options.clock.monotonicMs() - startedAtMs;
    this.#commits += 1;
    this.#options.onCommit(this.#lastCommitMs);
    const dead: Place[] = [];
    frames.forEach(({ kind, id, order }, index) => {
      const place = places[index];
      if (place !== undefined) dead.push(...this.#live.apply(kind, id, place, order));
    });
    this.#scrub(dead);
  }

  /**
   * Takes dead segments off the disk. What fails here has cost nobody anything, and is tried again later.
   */
  async #tidy(): Promise<void> {
    if (this.#commits < this.#tidyAfterCommits) return;
    try {
      await this.#store.trim();
      await this.#clean();
    } catch {
      this.#failedCommits += 1;
      this.#tidyAfterCommits = this.#commits + commitsBetweenTries;
    }
  }

  /** Overwrites what no longer counts. Should this fail, the next start finds it again. */
  #scrub(dead: readonly Place[]): void {
    try {
      this.#store.scrub(dead);
    } catch {
      this.#failedScrubs += 1;
    }
  }

  /** Moves what counts out of the oldest segment, a little at a time. */
  async #clean(): Promise<void> {
    const [oldest] = this.#store.segments;
    if (oldest === undefined || !needsCleaning(this.#store.segments, this.#options.segmentBytes)) return;
    const found = await findCopies(oldest, this.#live);
    if (!found.ok) {
      if (!this.#damageTold) this.#options.onDamage(damagedAt(oldest.number, found.offset));
      this.#damageTold = true;
      this.#tidyAfterCommits = this.#commits + commitsBetweenTries;
      return;
    }
    for (let done = 0; done < found.copies.length;) {
      const copies = nextCopies(found.copies, done, maxCopyBytes);
      await this.#commit(composeCopies(copies, this.#live));
      done += copies.length;
      await this.#commitWaiting();
    }
    await this.#store.trim();
  }
}
