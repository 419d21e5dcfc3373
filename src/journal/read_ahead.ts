import type { Segment } from './segment.js';

/** A segment that was read. The bytes stand until the next one is asked for. */
export interface ReadSegment {
  readonly segment: Segment;
  readonly bytes: Buffer;
}

/**
 * Reads segments one after another, each up to where `until` says: the next one already while the one before is being
 * used. Two of them at most are in memory, and the buffers are used again: so much memory is dear to get and to give
 * back.
 */
export async function* readAhead(
  segments: Iterable<Segment>,
  until: (segment: Segment) => number,
): AsyncGenerator<ReadSegment, void, undefined> {
  let ahead: Promise<ReadSegment> | undefined;
  /** What the segment before last was read into. */
  let free: Buffer | undefined;
  try {
    for (const segment of segments) {
      const reading = ahead;
      ahead = read(segment, until(segment), free);
      // It may fail while the one before is still being read; it is told when it is asked for.
      ahead.catch(() => undefined);
      free = undefined;
      if (reading === undefined) continue;
      const done = await reading;
      yield done;
      free = done.bytes;
    }
    if (ahead !== undefined) yield await ahead;
  } finally {
    // Whoever stops early closes the file.
    await ahead?.catch(() => undefined);
  }
}

async function read(segment: Segment, until: number, scratch: Buffer | undefined): Promise<ReadSegment> {
  return { segment, bytes: await segment.file.read(until, scratch) };
}
