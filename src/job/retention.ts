import type { JobId } from './job.js';
import { LinkedList, type Node } from './linked_list.js';

/** A Finished job's place among the kept ones. */
export interface Kept {
  readonly id: JobId;
  readonly expiresAtMs: number;
  /** Its share of the memory limit. */
  readonly bytes: number;
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
  #bytes = 0;
  #readBytes = 0;

  constructor(ttlMs: number) {
    this.#ttlMs = ttlMs;
  }

  get size(): number {
    return this.#byAge.size;
  }

  /** What all kept jobs take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What could be had by letting go of the results that were read. */
  get readBytes(): number {
    return this.#readBytes;
  }

  keep(id: JobId, nowMs: number, bytes: number): Kept {
    this.#bytes += bytes;
    return { id, bytes, expiresAtMs: nowMs + this.#ttlMs, age: this.#byAge.push(id), read: undefined };
  }

  markRead(kept: Kept): void {
    if (kept.read !== undefined) return;
    kept.read = this.#read.push(kept.id);
    this.#readBytes += kept.bytes;
  }

  forget(kept: Kept): void {
    this.#byAge.remove(kept.age);
    this.#bytes -= kept.bytes;
    if (kept.read === undefined) return;
    this.#read.remove(kept.read);
    this.#readBytes -= kept.bytes;
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
