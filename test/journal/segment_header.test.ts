import test from 'ava';
import { openLog } from '#relay/journal/open_log.js';
import {
  decodeMarker,
  decodeSegmentHeader,
  encodeMarker,
  encodeSegmentHeader,
} from '#relay/journal/segment_header.js';
import { diskWith, filesOf } from '../fuzz/disk_files.js';

const journalId = '00112233445566778899aabbccddeeff';
const header = { number: 3, journalId, firstSeq: 4, previousEnd: 5000 };
const marker = { count: 7, end: 4096, lastSeq: 3, oldest: 2, continued: false };

/** A first page with a marker, both with checksums that fit. */
function pageWith(changed: Partial<typeof marker>): Buffer {
  const page = encodeSegmentHeader(header, 1);
  const { bytes, offset } = encodeMarker({ ...marker, ...changed });
  bytes.copy(page, offset);
  return page;
}

test('a header and a marker are read as they were written', (t) => {
  t.deepEqual(decodeSegmentHeader(encodeSegmentHeader(header, 1)), header);
  t.deepEqual(decodeMarker(pageWith({})), marker);
});

for (const changed of [
  { number: 0 },
  { number: 2 ** 31 },
  { firstSeq: 0 },
  { firstSeq: 2 ** 47 },
  { previousEnd: 2 ** 47 },
]) {
  test(`a header that says ${JSON.stringify(changed)} is none`, (t) => {
    t.is(decodeSegmentHeader(encodeSegmentHeader({ ...header, ...changed }, 1)), undefined);
  });
}

for (const changed of [
  { count: 2 ** 47 },
  { end: 2 ** 47 },
  { lastSeq: 2 ** 47 },
  { oldest: 0 },
  { oldest: 2 ** 31 },
]) {
  test(`a marker that says ${JSON.stringify(changed)} is none`, (t) => {
    t.is(decodeMarker(pageWith(changed)), undefined);
  });
}

test('a journal of which nothing is said to be needed is refused, not taken for an empty one', async (t) => {
  const files = filesOf('journal/closed', /\.log$/);
  const disk = diskWith(files);
  const [name = '', newest = Buffer.alloc(0)] = [...files].at(-1) ?? [];
  const before = decodeMarker(newest);
  if (before === undefined) throw new Error('the fixture has no marker');
  const { bytes, offset } = encodeMarker({ ...before, count: before.count + 1, oldest: 9 });
  const changed = Buffer.from(newest);
  bytes.copy(changed, offset);
  disk.setBytes(name, changed);
  const opened = await openLog(disk.storage());
  t.like(opened, {
    ok: false,
    refusal: { reason: 'damaged', why: `${name} says that it is not needed itself` },
  });
});
