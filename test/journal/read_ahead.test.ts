import test from 'ava';
import { openLog } from '#relay/journal/open_log.js';
import { readAhead } from '#relay/journal/read_ahead.js';
import type { Segment } from '#relay/journal/segment.js';
import { framesOffset } from '#relay/journal/segment_header.js';
import type { Storage } from '#relay/journal/storage.js';
import { settled } from '../helpers/fake_clock.js';
import { MemoryDisk } from '../helpers/memory_disk.js';
import { openOn, put } from '../helpers/open_logs.js';
import { pending } from '../helpers/stored_jobs.js';

/** A journal in three files. */
async function threeFiles(): Promise<Storage> {
  const disk = new MemoryDisk();
  for (let file = 0; file < 3; file += 1) {
    const { log } = await openOn(disk);
    await put(log, pending());
    disk.kill();
  }
  return disk.storage();
}

/** The same files; what is behind a first page is read after `beforeRead`. */
function withReads(storage: Storage, beforeRead: (name: string) => Promise<void>): Storage {
  return {
    ...storage,
    async open(name) {
      const file = await storage.open(name);
      return {
        ...file,
        async read(maxBytes, scratch) {
          if (maxBytes !== framesOffset) await beforeRead(name);
          return file.read(maxBytes, scratch);
        },
      };
    },
  };
}

test('a file that cannot be read refuses the start, also while the one before it is still being read', async (t) => {
  const badSector = Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
  // Such a rejection ends the process before anybody can say what is the matter.
  let isUnhandled = false;
  const note = (reason: unknown): unknown => (isUnhandled ||= reason === badSector);
  process.on('unhandledRejection', note);
  t.teardown(() => process.off('unhandledRejection', note));
  const storage = withReads(await threeFiles(), async (name) => {
    if (name === 'jobs-00000002.log') throw badSector;
    for (let turn = 0; turn < 3; turn += 1) await settled();
  });
  t.is(await t.throwsAsync(openLog(storage)), badSector);
  t.false(isUnhandled);
});

interface Reads {
  begun: number;
  ended: number;
  intoNewMemory: number;
}

/** Files whose bytes are all the file's number. */
async function filled(sizes: readonly number[]): Promise<{ segments: readonly Segment[]; reads: Reads }> {
  const storage = new MemoryDisk().storage();
  const reads: Reads = { begun: 0, ended: 0, intoNewMemory: 0 };
  const segments: Segment[] = [];
  for (const [number, size] of sizes.entries()) {
    const file = await storage.create(String(number));
    await file.write(Buffer.alloc(size, number), 0);
    const read: typeof file.read = async (maxBytes, scratch) => {
      reads.begun += 1;
      const bytes = await file.read(maxBytes, scratch);
      reads.ended += 1;
      const reused = bytes.buffer === scratch?.buffer && bytes.byteOffset === scratch.byteOffset;
      if (!reused) reads.intoNewMemory += 1;
      return bytes;
    };
    const end = { end: size, lastSeq: 0, liveBytes: 0, markerCount: 0 };
    segments.push({ number, version: 1, firstSeq: 1, file: { ...file, read }, ...end });
  }
  return { segments, reads };
}

test('the bytes of a file stand until the next one is asked for, while that one is being read', async (t) => {
  const sizes = [100, 100, 60, 90, 50, 10, 50];
  const { segments, reads } = await filled(sizes);
  const seen: number[] = [];
  for await (const { segment, bytes } of readAhead(segments, ({ end }) => end)) {
    seen.push(segment.number);
    t.is(reads.begun, Math.min(segment.number + 2, sizes.length));
    for (let turn = 0; turn < 3; turn += 1) await settled();
    t.deepEqual(bytes, Buffer.alloc(sizes[segment.number] ?? 0, segment.number));
  }
  t.deepEqual(seen, [...sizes.keys()]);
  t.is(reads.intoNewMemory, 2, 'the others had room where an earlier one was');
});

test('a file is read no further than asked for, and no file is none', async (t) => {
  const { segments } = await filled([100, 50]);
  const lengths: number[] = [];
  for await (const { bytes } of readAhead(segments, () => 70)) lengths.push(bytes.length);
  for await (const { bytes } of readAhead([], () => 70)) lengths.push(bytes.length);
  t.deepEqual(lengths, [70, 50]);
});

test('whoever stops early goes on when nothing is being read any more', async (t) => {
  const { segments, reads } = await filled([10, 10, 10, 10]);
  for await (const { segment } of readAhead(segments, ({ end }) => end)) if (segment.number === 1) break;
  t.deepEqual(reads, { begun: 3, ended: 3, intoNewMemory: 2 });
});
