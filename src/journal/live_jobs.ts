import type { JobId } from '../job/job.js';
import type { FrameKind } from './frame.js';
import { frameHeaderBytes } from './frame.js';
import type { Segment } from './segment.js';

/** Where a frame lies. */
export interface Place {
  readonly segment: Segment;
  readonly offset: number;
  readonly payloadBytes: number;
}

/** The frames that say what a job is now; all others of it are dead. */
export interface LiveJob {
  readonly id: JobId;
  /** Not known before its record was read. */
  order: number;
  /** Missing only while a journal is read: the data comes first. */
  readonly state: Place | undefined;
  readonly data: Place | undefined;
}

/** Which frames count, by job, and how many bytes they take in each segment. */
export class LiveJobs {
  readonly #jobs = new Map<JobId, { -readonly [Part in keyof LiveJob]: LiveJob[Part] }>();

  get size(): number {
    return this.#jobs.size;
  }

  get(id: JobId): LiveJob | undefined {
    return this.#jobs.get(id);
  }

  all(): IterableIterator<LiveJob> {
    return this.#jobs.values();
  }

  /** Notes a frame. The places of those that no longer count because of it. */
  apply(kind: FrameKind, id: JobId, place: Place, order: number): readonly Place[] {
    const before = this.#jobs.get(id);
    const size = frameHeaderBytes + place.payloadBytes;
    if (kind !== 'remove') place.segment.liveBytes += size;
    if (before === undefined) {
      if (kind === 'data') this.#jobs.set(id, { id, order, state: undefined, data: place });
      else if (kind !== 'remove') this.#jobs.set(id, { id, order, state: place, data: undefined });
      return none;
    }
    const { state, data } = before;
    if (kind === 'data') {
      before.data = place;
      return died(data);
    }
    if (kind === 'remove') this.#jobs.delete(id);
    else before.state = place;
    if (kind === 'state') return died(state);
    before.data = undefined;
    return [...died(state), ...died(data)];
  }

  /** Forgets a job of which only the data is there. */
  drop(id: JobId): void {
    const data = this.#jobs.get(id)?.data;
    if (data !== undefined) data.segment.liveBytes -= frameHeaderBytes + data.payloadBytes;
    this.#jobs.delete(id);
  }
}

const none: readonly Place[] = [];

function died(place: Place | undefined): readonly Place[] {
  if (place === undefined) return none;
  place.segment.liveBytes -= frameHeaderBytes + place.payloadBytes;
  return [place];
}
