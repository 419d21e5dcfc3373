import type { Clock } from '../clock.js';
import type { Failure } from '../failure.js';
import type { Job, JobId } from '../job/job.js';
import type { JobRegistry } from '../job/registry.js';
import type { Turns } from './turns.js';

export interface FollowingOptions {
  readonly registry: Pick<JobRegistry, 'watch'>;
  readonly clock: Clock;
  /** The socket's order: what a push shows is newer than every answer before it. */
  readonly turns: Turns;
  readonly push: (job: Job) => void;
  /** Told of a job whose further changes will not be pushed. */
  readonly onLost: (id: JobId, failure: Failure) => void;
  readonly onBug: (error: unknown) => void;
}

interface Followed {
  /** The latest version the client has been shown. */
  version: number;
  readonly stopped: AbortController;
}

/** Unfinished jobs that one socket follows. */
const maxFollowed = 1000;

/** How long one wait of the registry is asked for. A day is as good as any: the wait is simply taken up again. */
const waitMs = 24 * 3600 * 1000;

/**
 * The unfinished jobs that a socket has been told about. Each holds one waiter of the registry, and so one place of
 * `--max-waiters`, until it is Finished or the socket closes.
 */
export class Following {
  readonly #options: FollowingOptions;
  readonly #jobs = new Map<JobId, Followed>();

  constructor(options: FollowingOptions) {
    this.#options = options;
  }

  /** Why no further job can be followed, or `undefined` if one can. */
  refusal(): Failure | undefined {
    if (this.#jobs.size < maxFollowed) return undefined;
    return {
      code: 'too_many_waiters',
      retryAfterSeconds: 1,
      detail: `This socket follows ${maxFollowed} unfinished jobs, which is the limit. Wait for one to finish, or open another.`,
    };
  }

  /** Notes what an answer has shown, and follows the job from there. */
  answered(job: Job): void {
    const followed = this.#jobs.get(job.id);
    if (job.state === 'Finished') this.#drop(job.id);
    else if (followed === undefined) this.#follow(job);
    else followed.version = Math.max(followed.version, job.version);
  }

  /** Frees every waiter. */
  stop(): void {
    for (const id of this.#jobs.keys()) this.#drop(id);
  }

  #follow({ id, version }: Job): void {
    const refusal = this.refusal();
    if (refusal !== undefined) {
      this.#options.onLost(id, refusal);
      return;
    }
    const followed = { version, stopped: new AbortController() };
    this.#jobs.set(id, followed);
    this.#run(id, followed).catch(this.#options.onBug);
  }

  #drop(id: JobId): void {
    this.#jobs.get(id)?.stopped.abort();
    this.#jobs.delete(id);
  }

  async #run(id: JobId, followed: Followed): Promise<void> {
    const { registry, clock, turns, onLost } = this.#options;
    const { signal } = followed.stopped;
    for (;;) {
      const askedAtMs = clock.monotonicMs();
      const knownVersion = followed.version;
      const result = await registry.watch(id, { knownVersion, until: 'change', waitMs, signal });
      if (this.#jobs.get(id) !== followed) return;
      if (!result.ok) {
        this.#drop(id);
        onLost(id, result.failure);
      } else if (result.value.version > knownVersion) {
        await turns.take(() => this.#push(result.value, followed));
      } else if (clock.monotonicMs() - askedAtMs < waitMs) {
        // A wait that ends early with nothing new: the registry is closing and holds nobody any more.
        this.#drop(id);
      }
    }
  }

  #push(job: Job, followed: Followed): void {
    // An answer that was given meanwhile may have shown this much, or the end.
    if (followed.stopped.signal.aborted || job.version <= followed.version) return;
    followed.version = job.version;
    if (job.state === 'Finished') this.#drop(job.id);
    this.#options.push(job);
  }
}
