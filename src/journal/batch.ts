import type { Job, JobId } from '../job/job.js';
import type { FrameContent } from './frame.js';
import type { LiveJobs, Place } from './live_jobs.js';
import { encodeRecord, type Ordered } from './record.js';

/** What a job is to become: what is stored of it, or gone; or, for an id that no job has, nothing but a try. */
export type Change = Job | 'removed' | 'tried';

/** A frame that counts and lies where it cannot stay. */
export interface Copy extends FrameContent {
  readonly from: Place;
}

/** A frame to write, with what the index needs to know of it. */
export interface BatchFrame extends FrameContent {
  readonly order: number;
}

export interface Batch {
  readonly frames: readonly BatchFrame[];
  /** For the next job that is new. */
  readonly nextOrder: number;
}

const nothing = new Uint8Array(0);

/** The frames that make changes. */
export function composeBatch(changes: ReadonlyMap<JobId, Change>, live: LiveJobs, firstOrder: number): Batch {
  let nextOrder = firstOrder;
  const frames: BatchFrame[] = [];
  for (const [id, change] of changes) {
    const known = live.get(id);
    if (change === 'tried') {
      // A removal of what is not there: whoever reads it again passes over it.
      frames.push({ kind: 'remove', id, payload: nothing, order: 0 });
    } else if (change !== 'removed') {
      const order = known?.order ?? nextOrder++;
      frames.push(...framesOf({ job: change, order }, known?.data !== undefined));
    } else if (known !== undefined) {
      frames.push({ kind: 'remove', id, payload: nothing, order: known.order });
    }
  }
  return { frames, nextOrder };
}

/** Those of the copies that still count. */
export function composeCopies(copies: readonly Copy[], live: LiveJobs): readonly BatchFrame[] {
  return copies.flatMap(({ from, ...frame }) => {
    const known = live.get(frame.id);
    const counts = known !== undefined && (known.state === from || known.data === from);
    return counts ? [{ ...frame, order: known.order }] : [];
  });
}

/**
 * The frames that say what a job is. Its data never changes and is written once; later states refer to it, and with
 * the end it has no further use.
 */
export function framesOf(stored: Ordered, dataIsWritten: boolean): readonly BatchFrame[] {
  const { job, order } = stored;
  const payload = Buffer.from(encodeRecord(stored));
  if (job.state === 'Finished') return [{ kind: 'end', id: job.id, payload, order }];
  const state: BatchFrame = { kind: 'state', id: job.id, payload, order };
  return dataIsWritten
    ? [state]
    : [{ kind: 'data', id: job.id, payload: Buffer.from(job.data), order }, state];
}
