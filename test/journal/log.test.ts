import test from 'ava';
import { JournalWriteError } from '#relay/journal/write_error.js';
import { MemoryDisk } from '../helpers/memory_disk.js';
import { openOn, put } from '../helpers/open_logs.js';
import { begun, ended, idsOf, jobId, pending } from '../helpers/stored_jobs.js';

test('an empty disk is an empty journal', async (t) => {
  const { log, jobs } = await openOn(new MemoryDisk());
  t.deepEqual(jobs, []);
  t.is(log.stats().jobs, 0);
});

test('what was put comes back after a kill, in the order of the first put', async (t) => {
  const disk = new MemoryDisk();
  const { log } = await openOn(disk);
  const jobs = [pending('first'), pending('second ✓'), pending('')];
  for (const job of jobs) await put(log, job);
  const [first, second, third] = jobs;
  if (first === undefined || second === undefined || third === undefined) throw new Error('no jobs');
  await put(log, begun(first));
  await put(log, ended(begun(second), 'answer'));
  disk.kill();
  t.deepEqual((await openOn(disk)).jobs, [begun(first), ended(begun(second), 'answer'), third]);
});

test('the order survives restarts and further jobs follow', async (t) => {
  const disk = new MemoryDisk();
  const jobs = Array.from({ length: 9 }, () => pending());
  for (const job of jobs) {
    const { log } = await openOn(disk);
    await put(log, job);
    disk.kill();
  }
  t.deepEqual(idsOf((await openOn(disk)).jobs), idsOf(jobs));
});

test('a removed job stays away, and one that was never there may be removed', async (t) => {
  const disk = new MemoryDisk();
  const { log } = await openOn(disk);
  const [gone, stays] = [pending(), pending()];
  await Promise.all([put(log, gone), put(log, stays)]);
  await log.write(gone.id, 'removed');
  await log.write(jobId(), 'removed');
  t.is(log.stats().jobs, 1);
  await log.close();
  t.deepEqual(idsOf((await openOn(disk)).jobs), idsOf([stays]));
});

test('what is put together shares one commit', async (t) => {
  const disk = new MemoryDisk();
  const { log } = await openOn(disk);
  await put(log, pending());
  const before = disk.log.filter((line) => line.startsWith('sync')).length;
  await Promise.all(Array.from({ length: 100 }, () => put(log, pending())));
  t.is(disk.log.filter((line) => line.startsWith('sync')).length, before + 1);
  t.is(log.stats().commits, 2);
});

test('a put resolves only after its bytes were synced, and everything put before it', async (t) => {
  const disk = new MemoryDisk();
  const { log } = await openOn(disk);
  const order: string[] = [];
  const watched = (name: string): Promise<void> =>
    put(log, pending(name)).then(() => {
      const synced = [...disk.names.values()].some(({ durable }) => durable.includes(name));
      order.push(`${name} ${synced ? 'durable' : 'lost'}`);
    });
  const first = watched('one');
  await new Promise((resolve) => setImmediate(resolve));
  await Promise.all([first, watched('two'), watched('three')]);
  t.deepEqual(order, ['one durable', 'two durable', 'three durable']);
});

test('of several changes to one job in a commit the last one counts', async (t) => {
  const disk = new MemoryDisk();
  const { log } = await openOn(disk);
  const [job, gone] = [pending(), pending()];
  await Promise.all([
    put(log, job),
    put(log, begun(job)),
    put(log, gone),
    put(log, ended(begun(job))),
    log.write(gone.id, 'removed'),
  ]);
  disk.kill();
  t.deepEqual((await openOn(disk)).jobs, [ended(begun(job))]);
});

test('the data of a job is written once, however often its state changes', async (t) => {
  const disk = new MemoryDisk();
  const { log } = await openOn(disk);
  let job = pending('x'.repeat(100_000));
  await put(log, job);
  const before = log.stats().sizeBytes;
  for (let attempt = 0; attempt < 10; attempt += 1) await put(log, (job = begun(job)));
  t.true(log.stats().sizeBytes - before < 10_000);
  disk.kill();
  t.deepEqual((await openOn(disk)).jobs, [job]);
});

test('what is waiting is written at the close, and nothing afterwards', async (t) => {
  const disk = new MemoryDisk();
  const { log } = await openOn(disk);
  const job = pending();
  const written = put(log, job);
  await log.close();
  await written;
  const error = await t.throwsAsync(put(log, pending()), { instanceOf: JournalWriteError });
  t.is(error.reason, 'closed');
  await log.close();
  t.deepEqual(idsOf((await openOn(disk)).jobs), idsOf([job]));
});
