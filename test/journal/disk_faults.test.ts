import test from 'ava';
import { JournalWriteError } from '#relay/journal/write_error.js';
import { settled } from '../helpers/fake_clock.js';
import { MemoryDisk } from '../helpers/memory_disk.js';
import { openOn, put } from '../helpers/open_logs.js';
import { begun, idsOf, pending } from '../helpers/stored_jobs.js';

test('a full disk refuses a job, and takes the next one once there is space, without reopening', async (t) => {
  const disk = new MemoryDisk();
  const { log } = await openOn(disk);
  const [before, after] = [pending(), pending()];
  await put(log, before);
  disk.capacityBytes = disk.usedBytes;
  const refused = pending('x'.repeat(600_000));
  const error = await t.throwsAsync(put(log, refused), { instanceOf: JournalWriteError });
  t.is(error.reason, 'full');
  disk.capacityBytes = Infinity;
  await put(log, after);
  disk.kill();
  t.deepEqual(idsOf((await openOn(disk)).jobs), idsOf([before, after]));
});

test('a full disk refuses the first job of all', async (t) => {
  const disk = new MemoryDisk();
  disk.capacityBytes = 1000;
  const { log } = await openOn(disk);
  await t.throwsAsync(put(log, pending()), { instanceOf: JournalWriteError });
  disk.capacityBytes = 10_000;
  const job = pending();
  await put(log, job);
  disk.kill();
  t.deepEqual(idsOf((await openOn(disk)).jobs), idsOf([job]));
});

test('jobs can be changed and removed while the disk is full, as room was made ahead', async (t) => {
  const disk = new MemoryDisk();
  const { log } = await openOn(disk);
  const [changed, removed] = [pending(), pending()];
  await Promise.all([put(log, changed), put(log, removed)]);
  disk.capacityBytes = disk.usedBytes;
  await put(log, begun(changed));
  await log.write(removed.id, 'removed');
  disk.kill();
  t.deepEqual((await openOn(disk)).jobs, [begun(changed)]);
});

test('nothing of a refused batch comes back, even if its beginning was written', async (t) => {
  const disk = new MemoryDisk();
  const { log } = await openOn(disk);
  const before = pending();
  await put(log, before);
  disk.capacityBytes = disk.usedBytes;
  const refused = [pending('small'), pending('x'.repeat(600_000))].map((job) => put(log, job));
  for (const one of refused) await t.throwsAsync(one, { instanceOf: JournalWriteError });
  t.false(disk.holds('small'));
  disk.kill();
  t.deepEqual(idsOf((await openOn(disk)).jobs), idsOf([before]));
});

test('every write may run out of space: what was acknowledged is there, what was refused is not', async (t) => {
  for (let capacity = 4096; capacity < 40_000; capacity += 777) {
    const disk = new MemoryDisk();
    disk.capacityBytes = capacity;
    const { log } = await openOn(disk, { segmentBytes: 8000 });
    const accepted = [];
    for (let count = 0; count < 20; count += 1) {
      const job = pending('x'.repeat(1500));
      if (
        await put(log, job).then(
          () => true,
          () => false,
        )
      )
        accepted.push(job);
    }
    t.true(accepted.length < 20);
    disk.kill();
    t.deepEqual(idsOf((await openOn(disk)).jobs), idsOf(accepted), `capacity ${capacity}`);
  }
});

test('after a failed sync nothing is acknowledged that the failure may have lost', async (t) => {
  const disk = new MemoryDisk();
  const { log } = await openOn(disk);
  const [before, after] = [pending(), pending()];
  await put(log, before);
  disk.faults.set('sync', 'EIO');
  const failed = pending();
  const error = await t.throwsAsync(put(log, failed), { instanceOf: JournalWriteError });
  t.is(error.reason, 'failed');
  disk.faults.clear();
  await put(log, after);
  disk.cutPower(() => 0.9);
  t.deepEqual(idsOf((await openOn(disk)).jobs), idsOf([before, after]));
});

test('what was synced and then refused, as the marker could not be written, does not come back after a power cut', async (t) => {
  const disk = new MemoryDisk();
  const { log } = await openOn(disk);
  const before = pending();
  await put(log, before);
  const refused = put(log, pending());
  const { length } = disk.log;
  while (!disk.log.slice(length).some((operation) => operation.startsWith('sync jobs'))) await settled();
  disk.faults.set('write', 'EIO');
  await t.throwsAsync(refused, { instanceOf: JournalWriteError });
  disk.faults.clear();
  disk.cutPower(() => 0.9);
  t.deepEqual(idsOf((await openOn(disk)).jobs), idsOf([before]));
});

test('a failed sync leaves its bytes in no segment, even if they cannot be cut off', async (t) => {
  const disk = new MemoryDisk();
  const { log } = await openOn(disk);
  const [before, after] = [pending(), pending()];
  await put(log, before);
  disk.faults.set('sync', 'EIO').set('truncate', 'EIO');
  const refused = [pending(), pending(), pending()].map((job) => put(log, job));
  for (const one of refused) await t.throwsAsync(one, { instanceOf: JournalWriteError });
  disk.faults.clear();
  await put(log, after);
  disk.kill();
  t.deepEqual(idsOf((await openOn(disk)).jobs), idsOf([before, after]));
});

test('what a start finds after a failed sync and a kill is there after a power cut as well', async (t) => {
  const disk = new MemoryDisk();
  const { log } = await openOn(disk);
  const before = pending();
  await put(log, before);
  disk.faults.set('sync', 'EIO').set('truncate', 'EIO');
  await t.throwsAsync(put(log, pending()), { instanceOf: JournalWriteError });
  disk.faults.clear();
  disk.kill();
  const found = await openOn(disk);
  t.is(found.jobs.length, 2, 'the system still shows what it could not write');
  disk.cutPower(() => 0.9);
  t.deepEqual((await openOn(disk)).jobs, found.jobs);
});

test('a payload that a start overwrites does not look like the point where the writing stopped', async (t) => {
  const disk = new MemoryDisk();
  const { log } = await openOn(disk);
  const job = pending();
  await put(log, job);
  const { length } = disk.log;
  void put(log, begun(job)).catch(() => undefined);
  while (!disk.log.slice(length).some((operation) => operation.startsWith('write jobs'))) await settled();
  // The marker is lost, all that was written after it is not.
  let sectors = 0;
  disk.cutPower(() => ((sectors += 1) === 1 ? 0.9 : 0.1));
  t.deepEqual((await openOn(disk)).jobs, [begun(job)]);
  disk.kill();
  t.deepEqual((await openOn(disk)).jobs, [begun(job)]);
});

test('a file system that became read-only says so', async (t) => {
  const disk = new MemoryDisk();
  const { log } = await openOn(disk);
  await put(log, pending());
  disk.faults.set('write', 'EROFS').set('truncate', 'EROFS').set('create', 'EROFS');
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const error = await t.throwsAsync(put(log, pending()), { instanceOf: JournalWriteError });
    t.is(error.reason, 'read_only');
  }
  disk.faults.clear();
  const job = pending();
  await put(log, job);
  disk.kill();
  t.true(idsOf((await openOn(disk)).jobs).includes(job.id));
});

for (const operation of ['create', 'write', 'sync', 'truncate', 'rename', 'syncNames', 'remove'] as const) {
  test(`with every ${operation} failing nothing acknowledged is lost`, async (t) => {
    const disk = new MemoryDisk();
    const { log } = await openOn(disk, { segmentBytes: 8000 });
    const accepted = [];
    for (let count = 0; count < 60; count += 1) {
      if (count % 20 === 10) disk.faults.set(operation, 'EIO');
      if (count % 20 === 15) disk.faults.clear();
      const job = pending('x'.repeat(700));
      if (
        await put(log, job).then(
          () => true,
          () => false,
        )
      )
        accepted.push(job);
      if (count % 3 > 0 || accepted.length === 0) continue;
      const [oldest] = accepted;
      if (oldest === undefined) continue;
      if (
        await log.write(oldest.id, 'removed').then(
          () => true,
          () => false,
        )
      )
        accepted.shift();
    }
    disk.kill();
    t.deepEqual(idsOf((await openOn(disk)).jobs), idsOf(accepted));
  });
}
