import { crc32 } from 'node:zlib';
import type { JobId } from '../job/job.js';
import { checksumOfWords } from './checksum.js';

/**
 * What a frame says about its job:
 *
 * - `data`: what is delivered. Written once; every later `state` refers to it.
 * - `state`: everything else about an unfinished job, replacing what was said before.
 * - `end`: the same of a Finished job. Its data has no further use.
 * - `remove`: the job is gone.
 */
export type FrameKind = 'data' | 'state' | 'end' | 'remove';

export interface FrameHeader {
  readonly kind: FrameKind;
  readonly id: JobId;
  /** One more than the frame before, across segments: no frame can be missing unnoticed. */
  readonly seq: number;
  readonly payloadBytes: number;
  readonly payloadCrc: number;
}

/** A frame that is to be written. */
export interface FrameContent {
  readonly kind: FrameKind;
  readonly id: JobId;
  readonly payload: Uint8Array;
}

/**
 * A frame is this header and its payload. The header is checked on its own, so that the payload of a frame that a
 * later one replaced can be overwritten, and the walk still finds the next.
 *
 * ```
 *  0  magic         4   "XRJF"
 *  4  kind          4   1 data, 2 state, 3 end, 4 remove
 *  8  payloadBytes  4
 * 12  payloadCrc    4   CRC-32 of the payload
 * 16  id           16
 * 32  seq           8   unsigned, below 2⁴⁸
 * 40  segment       4   the number of the segment it was written to
 * 44  headerCrc     4   CRC-32 of bytes 0 to 43
 * ```
 *
 * Little endian throughout.
 */
export const frameHeaderBytes = 48;
/** Before the checksum of the header. */
const checkedWords = 11;

const idOffset = 16;
const idBytes = 16;

const magic = 0x464a5258;
const codes: Readonly<Record<FrameKind, number>> = { data: 1, state: 2, end: 3, remove: 4 };
const kinds: ReadonlyMap<number, FrameKind> = new Map([
  [1, 'data'],
  [2, 'state'],
  [3, 'end'],
  [4, 'remove'],
]);

/** Bytes for reading numbers from, four times as fast as by the methods of `Buffer`. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Frames one after another, as they go into a segment. */
export function layFrames(frames: readonly FrameContent[], segment: number, firstSeq: number): Buffer {
  const total = frames.reduce((sum, { payload }) => sum + frameHeaderBytes + payload.length, 0);
  const bytes = Buffer.allocUnsafe(total);
  const view = viewOf(bytes);
  let at = 0;
  frames.forEach(({ kind, id, payload }, index) => {
    bytes.writeUInt32LE(magic, at);
    bytes.writeUInt32LE(codes[kind], at + 4);
    bytes.writeUInt32LE(payload.length, at + 8);
    bytes.writeUInt32LE(crc32(payload), at + 12);
    bytes.write(id.replaceAll('-', ''), at + 16, 'hex');
    bytes.writeUIntLE(firstSeq + index, at + 32, 6);
    bytes.writeUInt16LE(0, at + 38);
    bytes.writeUInt32LE(segment, at + 40);
    bytes.writeUInt32LE(checksumOfWords(view, at, checkedWords), at + 44);
    bytes.set(payload, at + frameHeaderBytes);
    at += frameHeaderBytes + payload.length;
  });
  return bytes;
}

/** The frame before another one, which is often about the same job: its id is not made twice then. */
export interface PreviousFrame {
  readonly at: number;
  readonly id: JobId;
}

/** The frame at an offset, if there is a whole one that was written to this segment. */
export function readFrameHeader(
  view: DataView,
  at: number,
  segment: number,
  previous?: PreviousFrame,
): FrameHeader | undefined {
  if (at + frameHeaderBytes > view.byteLength) return undefined;
  if (view.getUint32(at, true) !== magic) return undefined;
  if (view.getUint32(at + 44, true) !== checksumOfWords(view, at, checkedWords)) return undefined;
  if (view.getUint32(at + 40, true) !== segment) return undefined;
  const kind = kinds.get(view.getUint32(at + 4, true));
  const id = readId(view, at + idOffset, previous);
  const payloadBytes = view.getUint32(at + 8, true);
  if (kind === undefined || id === undefined) return undefined;
  if (at + frameHeaderBytes + payloadBytes > view.byteLength) return undefined;
  return {
    kind,
    id,
    seq: view.getUint32(at + 32, true) + view.getUint16(at + 36, true) * 2 ** 32,
    payloadBytes,
    payloadCrc: view.getUint32(at + 12, true),
  };
}

function readId(view: DataView, at: number, previous: PreviousFrame | undefined): JobId | undefined {
  if (previous !== undefined && isSameId(view, previous.at + idOffset, at)) return previous.id;
  const id = idAt(view, at);
  return isVersion4(id) ? id : undefined;
}

/** Whether it is a job's id. In its digits, which are in their places, only version and variant can be wrong (RFC 9562). */
function isVersion4(id: string): id is JobId {
  return id[14] === '4' && '89ab'.includes(id[19] ?? '?');
}

function isSameId(view: DataView, one: number, other: number): boolean {
  for (let at = 0; at < idBytes; at += 4) {
    if (view.getInt32(one + at) !== view.getInt32(other + at)) return false;
  }
  return true;
}

const hexDigits = Buffer.from('0123456789abcdef');
/** Where in the text of an id the two digits of each of its bytes begin. */
const digitsAt = Uint8Array.of(0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34);
const idText = Buffer.alloc(36, '-');

/** Made in one piece: put together from five, it takes the engine three times as long. */
function idAt(view: DataView, at: number): string {
  for (let index = 0; index < idBytes; index += 1) {
    const byte = view.getUint8(at + index);
    const digits = digitsAt[index] ?? 0;
    idText[digits] = hexDigits[byte >> 4] ?? 0;
    idText[digits + 1] = hexDigits[byte & 15] ?? 0;
  }
  return idText.toString('latin1');
}
