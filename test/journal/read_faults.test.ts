import test from 'ava';
import { openLog } from '#relay/journal/open_log.js';
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
