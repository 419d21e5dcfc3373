import type { Clock } from '../clock.js';
import { type Result, failed, success } from '../failure.js';
import type { Job } from './job.js';
import type { Entry } from './job_table.js';
import type { WatchOptions } from './registry.js';
import { accountOf, leavesRoom, Shares } from './shares.js';
import { JobWaiters } from './waiters.js';

/** Everybody who waits for a job, no more of them than allowed. */
export class Watchers {
  readonly #maxWaiters: number;
  readonly #clock: Clock;
  readonly #ofAccount = new Shares();
  #count = 0;
  #closed = false;

  constructor(maxWaiters: number, clock: Clock) {
    this.#maxWaiters = maxWaiters;
    this.#clock = clock;
  }

  get count(): number {
    return this.#count;
  }

  /** The job once it has changed. Comparing the version and registering the waiter are one step. */
  async watch(entry: Entry, options: WatchOptions): Promise<Result<Job>> {
    if (!this.#wouldHold(entry.job, options)) return success(entry.job);
    const account = accountOf(entry.job);
    if (!leavesRoom(this.#count + 1, this.#ofAccount.of(account) + 1, this.#maxWaiters)) {
      return failed({
        code: 'too_many_waiters',
        retryAfterSeconds: 1,
        detail: 'The relay holds as many long polls as it may. Poll /export meanwhile.',
      });
    }
    const waiters = (entry.waiters ??= new JobWaiters());
    this.#count += 1;
    this.#ofAccount.add(account, 1);
    await waiters.wait(options, this.#clock);
    this.#count -= 1;
    this.#ofAccount.add(account, -1);
    if (waiters.size === 0 && entry.waiters === waiters) entry.waiters = undefined;
    return success(entry.job);
  }

  /** Holds nobody from now on, and answers all. */
  close(entries: Iterable<Entry>): void {
    this.#closed = true;
    for (const { waiters } of entries) waiters?.releaseAll();
  }

  #wouldHold(job: Job, { knownVersion, until, waitMs, signal }: WatchOptions): boolean {
    if (job.state === 'Finished' || waitMs <= 0 || this.#closed || signal?.aborted === true) return false;
    return until === 'Finished' || knownVersion === undefined || knownVersion === job.version;
  }
}
