import type { Job, JobId } from '#relay/job/job.js';
import type { JobStore } from '#relay/job/store.js';

interface HeldWrite {
  readonly what: Job | readonly JobId[];
  /** It is certain to last from now on. */
  readonly take: () => void;
  readonly fail: () => void;
}

/** A store that writes, fails or keeps everybody waiting when a test says so. */
export class ScriptedStore implements JobStore {
  mode: 'works' | 'fails' | 'holds' = 'works';
  /** What would be there after a stop. */
  readonly jobs: Map<JobId, Job>;
  /** In the order in which they were asked for. */
  readonly held: HeldWrite[] = [];
  /** Every call, such as `Pending 1` or `remove`. */
  readonly calls: string[] = [];

  constructor(jobs: ReadonlyMap<JobId, Job> = new Map()) {
    this.jobs = new Map(jobs);
  }

  put(job: Job): Promise<void> {
    this.calls.push(`${job.state} ${job.version}`);
    return this.#write(job, () => this.jobs.set(job.id, job));
  }

  remove(ids: readonly JobId[]): Promise<void> {
    this.calls.push('remove');
    return this.#write(ids, () => ids.forEach((id) => this.jobs.delete(id)));
  }

  probe(): Promise<void> {
    this.calls.push('probe');
    return this.#write([], () => undefined);
  }

  /** The write that has been held longest. */
  next(): HeldWrite {
    const write = this.held.shift();
    if (write === undefined) throw new Error('nothing is being written');
    return write;
  }

  async #write(what: HeldWrite['what'], take: () => void): Promise<void> {
    if (this.mode === 'fails') throw new Error('the disk is full');
    if (this.mode === 'holds') {
      await new Promise<void>((resolve, reject) => {
        this.held.push({ what, take: resolve, fail: () => reject(new Error('the disk is full')) });
      });
    }
    take();
  }
}
