import type { Clock } from '../clock.js';
import type { Job } from './job.js';
import type { WatchOptions } from './registry.js';

interface Waiter {
  readonly until: WatchOptions['until'];
  readonly release: () => void;
}

/** Who waits for one job. Made when the first waiter comes, so that a job nobody watches costs nothing. */
export class JobWaiters {
  readonly #waiters = new Set<Waiter>();

  get size(): number {
    return this.#waiters.size;
  }

  /** Resolves at a change that the waiter wants, after `waitMs`, or when `signal` aborts: one timer, always freed. */
  wait(options: WatchOptions, clock: Clock): Promise<void> {
    return new Promise((resolve) => {
      const release = (): void => {
        this.#waiters.delete(waiter);
        cancelTimer();
        options.signal?.removeEventListener('abort', release);
        resolve();
      };
      const waiter: Waiter = { until: options.until, release };
      const cancelTimer = clock.after(options.waitMs, release);
      options.signal?.addEventListener('abort', release);
      this.#waiters.add(waiter);
    });
  }

  /** Wakes those who wait for a change such as this one. */
  wake(job: Job): void {
    for (const waiter of this.#waiters) {
      if (waiter.until === 'change' || job.state === 'Finished') waiter.release();
    }
  }

  releaseAll(): void {
    for (const waiter of this.#waiters) waiter.release();
  }
}
