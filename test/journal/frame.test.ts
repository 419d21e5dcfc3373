import { crc32 } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { checksumOfWords } from '#relay/journal/checksum.js';
import {
  type FrameContent,
  frameHeaderBytes,
  layFrames,
  readFrameHeader,
  viewOf,
} from '#relay/journal/frame.js';
import { scanFrames } from '#relay/journal/segment.js';
import { framesOffset } from '#relay/journal/segment_header.js';
import { jobId } from '../helpers/stored_jobs.js';

const contents: fc.Arbitrary<FrameContent> = fc.record({
  kind: fc.constantFrom('data' as const, 'state' as const, 'end' as const, 'remove' as const),
  id: fc.uuid({ version: 4 }).map(jobId),
  payload: fc.uint8Array({ maxLength: 200 }),
});

test('a frame is read as it was laid', (t) => {
  fc.assert(
    fc.property(contents, fc.nat(), fc.nat({ max: 2 ** 47 }), (content, segment, seq) => {
      const header = readFrameHeader(viewOf(layFrames([content], segment, seq)), 0, segment);
      const { kind, id, payload } = content;
      const payloadCrc = crc32(payload);
      t.deepEqual(header, { kind, id, seq, payloadBytes: payload.length, payloadCrc });
    }),
  );
});

test('any changed byte of a frame is noticed', (t) => {
  fc.assert(
    fc.property(contents, fc.nat(), fc.integer({ min: 1, max: 255 }), (content, position, change) => {
      const frame = layFrames([content], 3, 5);
      const at = position % frame.length;
      frame[at] = (frame[at] ?? 0) ^ change;
      const header = readFrameHeader(viewOf(frame), 0, 3);
      t.not(header?.payloadCrc, crc32(frame.subarray(frameHeaderBytes)));
    }),
    { numRuns: 1000 },
  );
});

test('a frame under an id that no job can have is not read', (t) => {
  const readable = (at: number, byte: number): boolean => {
    const frame = layFrames([{ kind: 'remove', id: jobId(), payload: Buffer.alloc(0) }], 3, 5);
    frame[at] = byte;
    frame.writeUInt32LE(crc32(frame.subarray(0, 44)), 44);
    return readFrameHeader(viewOf(frame), 0, 3) !== undefined;
  };
  const [version, variant] = [16 + 6, 16 + 8];
  for (let byte = 0; byte < 256; byte += 1) {
    t.is(readable(version, byte), byte >> 4 === 4);
    t.is(readable(variant, byte), byte >> 6 === 0b10);
  }
});

test('a frame under another id, in another segment or out of turn is noticed', (t) => {
  const [one, other] = [jobId(), jobId()];
  const payload = Buffer.from('{}');
  const bytes = Buffer.concat([
    Buffer.alloc(framesOffset),
    layFrames([{ kind: 'state', id: one, payload }], 3, 5),
  ]);
  const durableEnd = bytes.length;
  const isWhole = (from: Buffer, number: number, firstSeq: number): boolean =>
    scanFrames(from, { number, firstSeq, durableEnd }, () => undefined).ok;
  t.true(isWhole(bytes, 3, 5));
  t.false(isWhole(bytes, 4, 5));
  t.false(isWhole(bytes, 3, 4));
  const renamed = Buffer.from(bytes);
  renamed.write(other.replaceAll('-', ''), framesOffset + 16, 'hex');
  t.false(isWhole(renamed, 3, 5));
});

test('the checksum is the CRC-32 of as many words', (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 60, maxLength: 60 }),
      fc.nat({ max: 15 }),
      fc.nat({ max: 11 }),
      (bytes, start, words) =>
        t.is(checksumOfWords(viewOf(bytes), start, words), crc32(bytes.subarray(start, start + 4 * words))),
    ),
  );
});
