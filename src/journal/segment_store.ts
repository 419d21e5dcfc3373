import { randomBytes } from 'node:crypto';
import { type Chain, segmentName, unfinishedSuffix } from './chain.js';
import { type FrameContent, frameHeaderBytes, layFrames } from './frame.js';
import type { Place } from './live_jobs.js';
import type { Segment } from './segment.js';
import { encodeMarker, encodeSegmentHeader, framesOffset } from './segment_header.js';
import type { Storage, StorageFile } from './storage.js';

export interface SegmentStoreOptions {
  readonly storage: Storage;
  /** Of the records that are written. */
  readonly version: number;
  /** A segment is ended once it is this long. */
  readonly segmentBytes: number;
}

/**
 * Room made ahead. Writing into room that is there is about three times as fast as making it, and it lets jobs end
 * and go while the disk is full.
 */
const emptyRoom = Buffer.alloc(512 * 1024);

/**
 * The segments of a journal and the writing of frames to the newest. Nothing here runs concurrently: each method
 * is called when the one before has ended.
 */
export class SegmentStore {
  readonly #options: SegmentStoreOptions;
  readonly #journalId: string;
  readonly #segments: Segment[];
  /** The newest segment, as long as it can be written to. One from an earlier run never is. */
  #active: Segment | undefined;
  /** Up to where the file of the active segment has been filled. */
  #room = 0;
  #oldest: number;

  constructor(chain: Chain, options: SegmentStoreOptions) {
    this.#options = options;
    this.#journalId = chain.journalId ?? randomBytes(16).toString('hex');
    this.#segments = [...chain.segments];
    this.#oldest = chain.oldest;
  }

  /** Oldest first. */
  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /**
   * Cuts off what was never acknowledged nor written as a whole. The rest is relied on from here, but what is read after
   * a kill need not be on the disk: the system may not have written it yet, or it may have tried, failed and forgotten
   * that it has to. So what no sync is known to have covered, the marker and all frames behind it, is written again.
   */
  async settleEnd(newest: Segment, certainBytes: number): Promise<void> {
    const { file, end, lastSeq } = newest;
    await file.truncate(end);
    const bytes = await file.read(end);
    await file.write(bytes.subarray(0, framesOffset), 0);
    if (end > certainBytes) {
      await file.write(bytes.subarray(certainBytes), certainBytes);
      await file.sync();
      // Else a later start took a payload that was overwritten by then for the point where the writing stopped.
      await this.#mark(newest, { end, lastSeq, continued: false });
    }
    await file.sync();
    await this.#options.storage.syncNames();
  }

  /**
   * Writes frames and resolves with their places once they are certain to last; after a rejection none of them
   * counts, now or at the next start.
   */
  async append(frames: readonly FrameContent[]): Promise<readonly Place[]> {
    const segment = await this.#writable();
    const bytes = layFrames(frames, segment.number, segment.lastSeq + 1);
    await this.#write(segment, bytes);
    const lastSeq = segment.lastSeq + frames.length;
    try {
      await segment.file.sync();
      await this.#mark(segment, { end: segment.end + bytes.length, lastSeq, continued: false });
    } catch (error) {
      // What such a file holds is uncertain: a second sync would succeed without having written anything.
      await this.#abandon(segment);
      throw error;
    }
    let offset = segment.end;
    segment.end += bytes.length;
    this.#room = Math.max(this.#room, segment.end);
    segment.lastSeq = lastSeq;
    return frames.map(({ payload }) => {
      const place: Place = { segment, offset, payloadBytes: payload.length };
      offset += frameHeaderBytes + payload.length;
      return place;
    });
  }

  /** Overwrites payloads that have no further use. Whether the zeros last is up to the next sync. */
  scrub(places: readonly Place[]): void {
    const bySegment = new Map<Segment, Place[]>();
    for (const place of places) {
      const list = bySegment.get(place.segment);
      if (list === undefined) bySegment.set(place.segment, [place]);
      else list.push(place);
    }
    for (const [{ file }, dead] of bySegment) {
      file.zero(
        dead.map(({ offset, payloadBytes }) => ({ offset: offset + frameHeaderBytes, bytes: payloadBytes })),
      );
    }
  }

  /** Removes the oldest segments as long as nothing in them counts. */
  async trim(): Promise<void> {
    const active = this.#active;
    const kept = this.#segments.findIndex((segment) => segment === active || segment.liveBytes > 0);
    if (active === undefined || kept <= 0) return;
    const oldest = this.#oldest;
    this.#oldest += kept;
    try {
      // Known to last before a file goes: the next start looks for every segment from the oldest on.
      await this.#mark(active, { end: active.end, lastSeq: active.lastSeq, continued: false });
      await active.file.sync();
    } catch (error) {
      this.#oldest = oldest;
      await this.#abandon(active);
      throw error;
    }
    for (const { number, file } of this.#segments.splice(0, kept)) {
      await file.close();
      // One that stays is removed at the next start.
      await this.#options.storage.remove(segmentName(number)).catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    try {
      const active = this.#active;
      this.#active = undefined;
      if (active !== undefined) await active.file.truncate(active.end);
      for (const { file } of this.#segments) await file.sync();
    } finally {
      for (const { file } of this.#segments) await file.close();
    }
  }

  async #writable(): Promise<Segment> {
    const active = this.#active;
    if (active !== undefined && active.end < this.#options.segmentBytes) return active;
    const previous = this.#segments.at(-1);
    const segment = await this.#begin(previous);
    this.#segments.push(segment);
    this.#active = segment;
    this.#room = framesOffset;
    // Best effort: it tells a next start that this file has to be there, should it get lost.
    if (previous !== undefined) {
      await this.#mark(previous, { ...previous, continued: true }).catch(() => undefined);
    }
    await active?.file.truncate(active.end).catch(() => undefined);
    return segment;
  }

  /** Makes the next segment under another name first, so that it is there as a whole or not at all. */
  async #begin(previous: Segment | undefined): Promise<Segment> {
    const { storage, version } = this.#options;
    const number = (previous?.number ?? 0) + 1;
    const firstSeq = (previous?.lastSeq ?? 0) + 1;
    const name = segmentName(number);
    const file = await storage.create(name + unfinishedSuffix);
    try {
      const header = { number, journalId: this.#journalId, firstSeq, previousEnd: previous?.end ?? 0 };
      const page = encodeSegmentHeader(header, version);
      const marker = {
        count: 1,
        end: framesOffset,
        lastSeq: firstSeq - 1,
        oldest: this.#oldest,
        continued: false,
      };
      const { bytes, offset } = encodeMarker(marker);
      page.set(bytes, offset);
      await file.write(page, 0);
      await file.sync();
      await storage.rename(name + unfinishedSuffix, name);
      await storage.syncNames();
    } catch (error) {
      await file.close();
      await storage.remove(name + unfinishedSuffix).catch(() => undefined);
      throw error;
    }
    const start = { end: framesOffset, lastSeq: firstSeq - 1, liveBytes: 0, markerCount: 1 };
    return { number, version, firstSeq, file, ...start };
  }

  /** Writes at the end of a segment. If that fails, nothing of it stays there, and the room that was there does. */
  async #write(segment: Segment, bytes: Buffer): Promise<void> {
    const { file, end } = segment;
    try {
      await this.#makeRoom(file, end + bytes.length);
      await file.write(bytes, end);
    } catch (error) {
      try {
        const room = Math.max(this.#room, end);
        await file.truncate(room);
        file.zero([{ offset: end, bytes: Math.min(bytes.length, room - end) }]);
      } catch {
        await this.#abandon(segment);
      }
      throw error;
    }
  }

  async #makeRoom(file: StorageFile, needed: number): Promise<void> {
    if (needed <= this.#room) return;
    try {
      await file.write(emptyRoom, needed);
      this.#room = needed + emptyRoom.length;
    } catch {
      // There may still be enough for what is needed now.
      await file.truncate(this.#room);
    }
  }

  async #mark(
    segment: Segment,
    {
      end,
      lastSeq,
      continued,
    }: { readonly end: number; readonly lastSeq: number; readonly continued: boolean },
  ): Promise<void> {
    segment.markerCount += 1;
    const count = segment.markerCount;
    const { bytes, offset } = encodeMarker({ count, end, lastSeq, oldest: this.#oldest, continued });
    await segment.file.write(bytes, offset);
  }

  /**
   * Never writes to a segment again. What was refused is cut off, as durably as such a disk can; the next segment says
   * where this one ends.
   */
  async #abandon(segment: Segment): Promise<void> {
    this.#active = undefined;
    try {
      await segment.file.truncate(segment.end);
      await segment.file.sync();
    } catch {
      // Until there is a next segment, the cut may not outlast a loss of power.
    }
  }
}
