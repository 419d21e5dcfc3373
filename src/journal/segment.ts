import { crc32 } from 'node:zlib';
import { type FrameHeader, frameHeaderBytes, type PreviousFrame, readFrameHeader, viewOf } from './frame.js';
import { framesOffset } from './segment_header.js';
import type { StorageFile } from './storage.js';

/** One file of the journal, open. */
export interface Segment {
  readonly number: number;
  /** Of its records. */
  readonly version: number;
  readonly firstSeq: number;
  readonly file: StorageFile;
  /** Where the frames that are certain to last end. */
  end: number;
  lastSeq: number;
  /** Of frames that count, headers included. */
  liveBytes: number;
  /** Of the marker written last. */
  markerCount: number;
}

/**
 * What a walk found: a frame, where it lies, and whether its payload is what was written; that of a frame without
 * effect may have been overwritten since.
 */
export type VisitFrame = (frame: FrameHeader, offset: number, intact: boolean) => void;

export type Scan =
  | { readonly ok: true; readonly end: number; readonly lastSeq: number }
  | { readonly ok: false; readonly offset: number };

/**
 * Walks the frames of a segment. Up to `durableEnd` each has to be there, or the segment is damaged at that offset;
 * behind it the first that is not whole is where the writing stopped.
 */
export function scanFrames(
  bytes: Buffer,
  expected: { readonly number: number; readonly firstSeq: number; readonly durableEnd: number },
  visit: VisitFrame,
): Scan {
  const view = viewOf(bytes);
  let offset = framesOffset;
  let seq = expected.firstSeq;
  let previous: PreviousFrame | undefined;
  for (;;) {
    const header = readFrameHeader(view, offset, expected.number, previous);
    const durable = offset < expected.durableEnd;
    if (header?.seq !== seq) {
      return durable ? { ok: false, offset } : { ok: true, end: offset, lastSeq: seq - 1 };
    }
    const payloadStart = offset + frameHeaderBytes;
    const payloadEnd = payloadStart + header.payloadBytes;
    const intact = crc32(bytes.subarray(payloadStart, payloadEnd)) === header.payloadCrc;
    if (!intact && !durable) return { ok: true, end: offset, lastSeq: seq - 1 };
    visit(header, offset, intact);
    previous = { at: offset, id: header.id };
    offset = payloadEnd;
    seq += 1;
  }
}
