import type { Clock } from '../clock.js';
import { type Failure, failed } from '../failure.js';
import type { Job, JobId } from './job.js';
import type { JobStore } from './store.js';

/** What a client is told of a change that the store could not take. */
export const notWritten = failed({
  code: 'storage_unavailable',
  retryAfterSeconds: 5,
  detail: 'The relay cannot write to its storage at the moment.',
});

/** How long after a failed write the next one is tried. */
const retryWriteMs = 1000;

/** Writes changes to the store, if there is one, and again where it could not take them. */
export class WriteThrough {
  readonly #store: JobStore | undefined;
  readonly #clock: Clock;
  /** Asked to be forgotten and not forgotten yet; no longer than the store itself. */
  readonly #unremoved = new Set<JobId>();
  readonly #holds = new Set<() => void>();
  #writing = 0;
  #stopped = false;
  #whenQuiet: (() => void)[] = [];

  constructor(store: JobStore | undefined, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Whether the store took it; `undefined`, without waiting, where there is none and nothing has to be waited for. */
  put(job: Job): Promise<boolean> | undefined {
    if (this.#store === undefined) return undefined;
    return this.#tracked(this.#store.put(job));
  }

  /** Why a new job could not be put now, if it could not. */
  async failure(): Promise<Failure | undefined> {
    if (this.#store === undefined) return undefined;
    return (await this.#tracked(this.#store.probe())) ? undefined : notWritten.failure;
  }

  /** Waits until another write is worth trying; `false` at the stop, after which none is. */
  async hold(): Promise<boolean> {
    if (this.#stopped) return false;
    await new Promise<void>((resolve) => {
      const release = (): void => {
        cancel();
        this.#holds.delete(release);
        resolve();
      };
      const cancel = this.#clock.after(retryWriteMs, release);
      this.#holds.add(release);
    });
    return !this.#stopped;
  }

  /** Forgets a job, now or with a later sweep. */
  remove(id: JobId): void {
    if (this.#store === undefined) return;
    // All that go in this turn of the event loop go together.
    if (this.#unremoved.size === 0) queueMicrotask(() => this.#removeAll());
    this.#unremoved.add(id);
  }

  /** Tries again what could not be forgotten. */
  sweep(): void {
    if (this.#unremoved.size > 0) this.#removeAll();
  }

  /** Tries nothing again from now on. */
  stop(): void {
    this.#stopped = true;
    for (const release of [...this.#holds]) release();
  }

  /** Resolves when no write is under way, or after `graceMs`. */
  async onQuiet(graceMs: number): Promise<void> {
    if (this.#writing === 0) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(graceMs, resolve);
      this.#whenQuiet.push(() => {
        cancel();
        resolve();
      });
    });
  }

  #removeAll(): void {
    if (this.#store === undefined) return;
    const ids = [...this.#unremoved];
    this.#unremoved.clear();
    void this.#tracked(this.#store.remove(ids)).then((removed) => {
      if (!removed) for (const id of ids) this.#unremoved.add(id);
    });
  }

  async #tracked(write: Promise<void>): Promise<boolean> {
    this.#writing += 1;
    try {
      await write;
      return true;
    } catch {
      // The store reports what is the matter with it; here it only matters that nothing was written.
      return false;
    } finally {
      this.#writing -= 1;
      if (this.#writing === 0) for (const quiet of this.#whenQuiet.splice(0)) quiet();
    }
  }
}
