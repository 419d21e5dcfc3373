import PQueue from 'p-queue';
import type { JobId } from './job.js';
import { LinkedList, type Node } from './linked_list.js';

export interface LanesOptions {
  /** Attempts in flight in all. */
  readonly concurrency: number;
  /** Attempts in flight per lane. */
  readonly laneConcurrency: number;
  /** Makes one attempt; must not reject. */
  readonly run: (id: JobId) => Promise<void>;
}

interface Lane {
  readonly key: string;
  readonly waiting: LinkedList<JobId>;
  /** Turns of this lane that stand in the shared queue and have not begun. */
  offered: number;
  running: number;
}

/** Where a job waits for its turn. */
export type LanePlace = Node<JobId>;

/**
 * One queue, fair by construction. Each lane keeps its own first-in-first-out list, and only as many turns as it
 * has free slots stand in the shared p-queue. A lane that has had its turn goes to the back, so lanes take turns
 * without a scheduler, and a long backlog costs the other lanes nothing.
 */
export class Lanes {
  readonly #queue: PQueue;
  readonly #laneConcurrency: number;
  readonly #run: (id: JobId) => Promise<void>;
  readonly #lanes = new Map<string, Lane>();

  constructor({ concurrency, laneConcurrency, run }: LanesOptions) {
    this.#queue = new PQueue({ concurrency });
    this.#laneConcurrency = laneConcurrency;
    this.#run = run;
  }

  /** Lanes with work. */
  get size(): number {
    return this.#lanes.size;
  }

  /** Attempts in flight. */
  get running(): number {
    return this.#queue.pending;
  }

  /** Puts a job at the end of its lane. */
  enqueue(key: string, id: JobId): LanePlace {
    const lane = this.#lane(key);
    const place = lane.waiting.push(id);
    this.#offer(lane);
    return place;
  }

  /** Puts a job that is due for another attempt at the front of its lane. */
  enqueueFirst(key: string, id: JobId): LanePlace {
    const lane = this.#lane(key);
    const place = lane.waiting.unshift(id);
    this.#offer(lane);
    return place;
  }

  /** Takes a waiting job out; one whose turn has begun is left alone. */
  remove(place: LanePlace): void {
    place.list?.remove(place);
  }

  /** No further turn begins; those in flight end by themselves. */
  pause(): void {
    this.#queue.pause();
  }

  /** Lets turns begin again after `pause`. */
  start(): void {
    this.#queue.start();
  }

  /** Resolves when no attempt is in flight. */
  onQuiet(): Promise<void> {
    return this.#queue.onPendingZero();
  }

  #lane(key: string): Lane {
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = { key, waiting: new LinkedList(), offered: 0, running: 0 };
      this.#lanes.set(key, lane);
    }
    return lane;
  }

  #offer(lane: Lane): void {
    while (lane.offered < lane.waiting.size && lane.offered + lane.running < this.#laneConcurrency) {
      lane.offered += 1;
      void this.#queue.add(() => this.#turn(lane));
    }
  }

  async #turn(lane: Lane): Promise<void> {
    lane.offered -= 1;
    // The job that was the head when the turn was offered may have been cancelled since.
    const id = lane.waiting.shift();
    if (id !== undefined) {
      lane.running += 1;
      await this.#run(id);
      lane.running -= 1;
    }
    this.#offer(lane);
    // Nothing waits then either. As long as a turn stands in the queue, the bound on the lane needs to know of it.
    if (lane.offered === 0 && lane.running === 0) this.#lanes.delete(lane.key);
  }
}
