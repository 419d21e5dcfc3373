import type { JobId } from './job.js';
import { LinkedList, type Node } from './linked_list.js';

/** A Finished job's place among the kept ones. */
export interface Kept {
  readonly id: JobId;
  readonly expiresAtMs: number;
  readonly age: Node<JobId>;
  read: Node<JobId> | undefined;
}

/**
 * Which Finished jobs are kept, and which goes next. Time is monotonic. Under pressure those already read go
 * first, oldest first; nothing here ever holds or drops an unfinished job.
 */
export class Retention {
  readonly #ttlMs: number;
  readonly #byAge = new LinkedList<JobId>();
  readonly #read = new LinkedList<JobId>();

  constructor(ttlMs: number) {
    this.#ttlMs = ttlMs;
  }

  get size(): number {
    return this.#byAge.size;
  }

  keep(id: JobId, nowMs: number): Kept {
    return { id, expiresAtMs: nowMs + this.#ttlMs, age: this.#byAge.push(id), read: undefined };
  }

  markRead(kept: Kept): void {
    kept.read ??= this.#read.push(kept.id);
  }

  forget(kept: Kept): void {
    this.#byAge.remove(kept.age);
    if (kept.read !== undefined) this.#read.remove(kept.read);
  }

  /** The result that was read longest ago. */
  oldestRead(): JobId | undefined {
    return this.#read.first?.value;
  }

  /** The job that finished longest ago: the next to expire. */
  oldest(): JobId | undefined {
    return this.#byAge.first?.value;
  }
}
