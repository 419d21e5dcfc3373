import { type Clock, systemClock } from '../clock.js';
import type { Job } from '../job/job.js';
import { framesOf } from './batch.js';
import { openChain, type Refusal } from './chain.js';
import { LiveJobs } from './live_jobs.js';
import { Log } from './log.js';
import { currentSchema, type Ordered, type Schema } from './record.js';
import { type Replayed, replay } from './replay.js';
import { SegmentStore } from './segment_store.js';
import type { Storage } from './storage.js';

export interface LogSettings {
  readonly clock?: Clock | undefined;
  readonly schema?: Schema | undefined;
  /** About how long one file gets. */
  readonly segmentBytes?: number | undefined;
  readonly onDamage?: ((why: string) => void) | undefined;
  readonly onCommit?: ((durationMs: number) => void) | undefined;
}

export type OpenedLog =
  | { readonly ok: true; readonly log: Log; readonly jobs: readonly Job[] }
  | { readonly ok: false; readonly refusal: Refusal };

const defaultSegmentBytes = 16 * 1024 * 1024;

/**
 * Reads the journal in a storage that nobody else uses. A refusal changes nothing; rejects if the storage fails.
 */
export async function openLog(storage: Storage, settings: LogSettings = {}): Promise<OpenedLog> {
  const {
    clock = systemClock,
    schema = currentSchema,
    segmentBytes = defaultSegmentBytes,
    onDamage = () => undefined,
    onCommit = () => undefined,
  } = settings;
  const opened = await openChain(storage, schema);
  if (!opened.ok) return opened;
  const { chain } = opened;
  const store = new SegmentStore(chain, { storage, version: schema.version, segmentBytes });
  try {
    const newest = chain.segments.at(-1);
    const certainBytes = newest?.end ?? 0;
    const read = await replay(chain, schema);
    if (!read.ok) {
      await store.close();
      return read;
    }
    if (newest !== undefined) await store.settleEnd(newest, certainBytes);
    for (const name of chain.leftovers) await storage.remove(name);
    const live = await settle(store, read.replayed, schema);
    const { jobs } = read.replayed;
    const nextOrder = (jobs.at(-1)?.order ?? -1) + 1;
    const log = new Log(store, { live, nextOrder }, { clock, segmentBytes, onDamage, onCommit });
    return { ok: true, log, jobs: jobs.map(({ job }) => job) };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Brings what was read into the form of today. */
async function settle(store: SegmentStore, replayed: Replayed, schema: Schema): Promise<LiveJobs> {
  if (store.segments.some(({ version }) => version < schema.version)) return migrate(store, replayed.jobs);
  store.scrub(replayed.unscrubbed);
  return replayed.live;
}

const jobsPerCommit = 1000;

/**
 * Writes all jobs anew, in the current version, then removes what was written in older ones. Safe to break off at
 * any point: a new frame counts instead of the old one with the same meaning, and the next start begins again.
 */
async function migrate(store: SegmentStore, jobs: readonly Ordered[]): Promise<LiveJobs> {
  const old = [...store.segments];
  const live = new LiveJobs();
  for (let at = 0; at < jobs.length; at += jobsPerCommit) {
    const frames = jobs.slice(at, at + jobsPerCommit).flatMap((stored) => framesOf(stored, false));
    const places = await store.append(frames);
    frames.forEach(({ kind, id, order }, index) => {
      const place = places[index];
      if (place !== undefined) live.apply(kind, id, place, order);
    });
  }
  if (jobs.length === 0) await store.append([]);
  for (const segment of old) segment.liveBytes = 0;
  await store.trim();
  return live;
}
