import test from 'ava';
import { AuditWriteError } from '#relay/audit/log.js';
import { endAttempt, finish, startAttempt } from '#relay/job/job.js';
import { arrived, departing, kindsOf, linesOf, openRecord, recordText } from '../helpers/audit.js';
import { MemoryDisk } from '../helpers/memory_disk.js';

test('a job that ends while it is written that it leaves has its end on record, and has not left', async (t) => {
  const disk = new MemoryDisk();
  const { record } = await openRecord(disk);
  const job = departing();
  const leaving = record.leaving(job);
  await record.ended(finish(job, { kind: 'gave_up', error: { code: 'cancelled', message: '' } }, 0));
  await leaving;
  t.is(record.unfinished, 0);
  t.like(linesOf(recordText(disk)).at(-1)?.members, { kind: 'export', code: 'cancelled', left: 'no' });
  t.deepEqual(kindsOf(recordText(disk)), ['begin', 'start', 'leaving', 'export']);
});

test('a job that ends while it cannot be written that it leaves has no line', async (t) => {
  const disk = new MemoryDisk();
  const { record } = await openRecord(disk);
  const job = departing();
  disk.faults.set('sync', 'EIO');
  const leaving = t.throwsAsync(record.leaving(job), { instanceOf: AuditWriteError });
  await record.ended(finish(job, { kind: 'gave_up', error: { code: 'cancelled', message: '' } }, 0));
  await leaving;
  t.is(record.unfinished, 0);
});

for (const [before, left] of [
  [503, 'yes'],
  ['timeout', 'maybe'],
  ['interrupted', 'maybe'],
  ['connect_failed', 'no'],
] as const) {
  test(`of a job whose earlier run ended an attempt with ${before} the record says that it left: ${left}`, async (t) => {
    const disk = new MemoryDisk();
    const { record } = await openRecord(disk);
    const job = startAttempt(endAttempt(departing(), before, 0, 1), 0);
    await record.leaving(job);
    const error = { code: 'connect_failed', message: '' } as const;
    record.attempted(job.id, { kind: 'failed', error });
    await record.ended(finish(job, { kind: 'gave_up', error }, 0));
    t.like(linesOf(recordText(disk)).at(-1)?.members, { kind: 'export', left });
  });
}

test('what a file begins with does not count as what fills it', async (t) => {
  const disk = new MemoryDisk();
  const { record } = await openRecord(disk, { maxFileBytes: 4000 });
  await Promise.all(Array.from({ length: 100 }, () => record.leaving(departing())));
  const files = disk.names.size;
  for (let count = 0; count < 6; count += 1) {
    const job = departing();
    await record.leaving(job);
    await record.ended(arrived(job));
  }
  // Some 800 bytes each: room for all of them in the one that was begun, and in one more.
  t.true(disk.names.size <= files + 2, `${disk.names.size} files, ${files} before`);
});
