import { crc32 } from 'node:zlib';

/** What a segment says about itself and its place among the others; written once. */
export interface SegmentHeader {
  readonly number: number;
  /** Random; the same in all segments of one journal. */
  readonly journalId: string;
  /** Of the first frame. */
  readonly firstSeq: number;
  /** Where the segment before this one ends: what lies behind was never acknowledged. 0 if there is none. */
  readonly previousEnd: number;
}

/** How far a segment is known to be durable; rewritten after each commit, before it is acknowledged. */
export interface Marker {
  /** Grows with each marker of a segment. */
  readonly count: number;
  readonly end: number;
  readonly lastSeq: number;
  /** The first segment that is still needed. */
  readonly oldest: number;
  /** Whether a further segment was begun. */
  readonly continued: boolean;
}

/** Frames begin here. */
export const framesOffset = 4096;

/**
 * The first page of a segment. Everything else may change with the version, these sixteen bytes never.
 *
 * ```
 *    0  magic 8 "XRELAYJ\n", version 4, CRC-32 of the twelve before 4
 *   16  number 4, (unused) 4, journalId 16, firstSeq 8, previousEnd 8, CRC-32 of bytes 0 to 55 4
 *  512  marker          count 8, end 8, lastSeq 8, oldest 4, continued 4, CRC-32 of the 32 before 4
 * 1024  marker
 * ```
 *
 * The two markers are written in turn: one that breaks off leaves the other.
 */
const magic = Buffer.from('XRELAYJ\n', 'latin1');
const fixedBytes = 16;
const headerEnd = 56;
const slots = [512, 1024] as const;
const markerBytes = 36;
/** Of what is counted in six bytes. No journal gets so far; what claims to was made up, and leaves no room to go on. */
const most = 2 ** 46;

export function encodeSegmentHeader(header: SegmentHeader, version: number): Buffer {
  const page = Buffer.alloc(framesOffset);
  magic.copy(page);
  page.writeUInt32LE(version, 8);
  page.writeUInt32LE(crc32(page.subarray(0, 12)), 12);
  page.writeUInt32LE(header.number, 16);
  page.write(header.journalId, 24, 'hex');
  page.writeUIntLE(header.firstSeq, 40, 6);
  page.writeUIntLE(header.previousEnd, 48, 6);
  page.writeUInt32LE(crc32(page.subarray(0, headerEnd)), headerEnd);
  return page;
}

/** The version a file was written in, or `undefined` if it is no segment. */
export function segmentVersion(page: Buffer): number | undefined {
  if (page.length < fixedBytes || !page.subarray(0, magic.length).equals(magic)) return undefined;
  return page.readUInt32LE(12) === crc32(page.subarray(0, 12)) ? page.readUInt32LE(8) : undefined;
}

/** The header of a segment whose version is known, or `undefined` if it is damaged. */
export function decodeSegmentHeader(page: Buffer): SegmentHeader | undefined {
  if (page.length < framesOffset) return undefined;
  if (page.readUInt32LE(headerEnd) !== crc32(page.subarray(0, headerEnd))) return undefined;
  const header = {
    number: page.readUInt32LE(16),
    journalId: page.toString('hex', 24, 40),
    firstSeq: page.readUIntLE(40, 6),
    previousEnd: page.readUIntLE(48, 6),
  };
  const { number, firstSeq, previousEnd } = header;
  const isPossible = isFileNumber(number) && firstSeq >= 1 && firstSeq <= most && previousEnd <= most;
  return isPossible ? header : undefined;
}

export function encodeMarker(marker: Marker): { readonly bytes: Buffer; readonly offset: number } {
  const bytes = Buffer.alloc(markerBytes);
  bytes.writeUIntLE(marker.count, 0, 6);
  bytes.writeUIntLE(marker.end, 8, 6);
  bytes.writeUIntLE(marker.lastSeq, 16, 6);
  bytes.writeUInt32LE(marker.oldest, 24);
  bytes.writeUInt32LE(marker.continued ? 1 : 0, 28);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 32)), 32);
  return { bytes, offset: slots[marker.count % 2 === 0 ? 0 : 1] };
}

/** The newest marker that is whole, or `undefined` if none is. */
export function decodeMarker(page: Buffer): Marker | undefined {
  let newest: Marker | undefined;
  for (const offset of slots) {
    const marker = markerAt(page, offset);
    if (marker !== undefined && (newest === undefined || marker.count > newest.count)) newest = marker;
  }
  return newest;
}

function markerAt(page: Buffer, offset: number): Marker | undefined {
  const bytes = page.subarray(offset, offset + markerBytes);
  if (bytes.length < markerBytes || bytes.readUInt32LE(32) !== crc32(bytes.subarray(0, 32))) return undefined;
  const marker = {
    count: bytes.readUIntLE(0, 6),
    end: bytes.readUIntLE(8, 6),
    lastSeq: bytes.readUIntLE(16, 6),
    oldest: bytes.readUInt32LE(24),
    continued: bytes.readUInt32LE(28) === 1,
  };
  const { count, end, lastSeq, oldest } = marker;
  return Math.max(count, end, lastSeq) <= most && isFileNumber(oldest) ? marker : undefined;
}

/** Below where counting on would end. */
function isFileNumber(number: number): boolean {
  return number >= 1 && number < 2 ** 31;
}
