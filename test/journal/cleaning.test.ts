import test from 'ava';
import { MemoryDisk } from '../helpers/memory_disk.js';
import { openOn, put } from '../helpers/open_logs.js';
import { begun, ended, idsOf, pending } from '../helpers/stored_jobs.js';

test('nothing of a removed job can be found on the disk, nor what a change replaced', async (t) => {
  const disk = new MemoryDisk();
  const { log } = await openOn(disk);
  const job = pending('the payload', {});
  await put(log, job);
  t.true(disk.holds('the payload'));
  const finished = ended(begun(job), 'the answer');
  await put(log, finished);
  t.false(disk.holds('the payload'));
  t.true(disk.holds('the answer'));
  await log.write(job.id, 'removed');
  t.false(disk.holds('the answer'));
  t.false(disk.holds('receiver.example'));
  await log.close();
  t.deepEqual((await openOn(disk)).jobs, []);
});

test('a start takes off the disk what a kill left there', async (t) => {
  const disk = new MemoryDisk();
  const { log } = await openOn(disk);
  const job = pending('the payload');
  await put(log, job);
  const before = [...disk.names.keys()].map((name) => [name, Buffer.from(disk.bytes(name))] as const);
  await log.write(job.id, 'removed');
  // The payload as it was before it was overwritten, with everything that came later.
  for (const [name, bytes] of before) {
    const at = bytes.indexOf('the payload');
    bytes.copy(disk.bytes(name), at, at, at + 11);
  }
  disk.kill();
  t.true(disk.holds('the payload'));
  await openOn(disk);
  t.false(disk.holds('the payload'));
});

test('the journal stays small, however many jobs pass through it', async (t) => {
  const disk = new MemoryDisk();
  const segmentBytes = 64 * 1024;
  const { log } = await openOn(disk, { segmentBytes });
  const kept = Array.from({ length: 20 }, (_, index) => pending(`kept ${index}`));
  await Promise.all(kept.map((job) => put(log, job)));
  let largest = 0;
  for (let round = 0; round < 60; round += 1) {
    const jobs = Array.from({ length: 40 }, () => pending('x'.repeat(1000)));
    await Promise.all(jobs.map((job) => put(log, job)));
    await Promise.all(jobs.map((job) => put(log, ended(begun(job)))));
    await Promise.all(jobs.map(({ id }) => log.write(id, 'removed')));
    largest = Math.max(largest, log.stats().sizeBytes);
  }
  const { liveBytes } = log.stats();
  t.true(largest < 2 * (liveBytes + 40 * 2000) + 4 * segmentBytes, `${largest} bytes`);
  disk.kill();
  t.deepEqual(idsOf((await openOn(disk)).jobs), idsOf(kept));
});

test('many restarts do not leave many files', async (t) => {
  const disk = new MemoryDisk();
  const jobs = [];
  for (let restart = 0; restart < 40; restart += 1) {
    const { log } = await openOn(disk);
    const job = pending();
    jobs.push(job);
    await put(log, job);
    await log.close();
  }
  t.true(disk.names.size <= 11, `${disk.names.size} files`);
  t.deepEqual(idsOf((await openOn(disk)).jobs), idsOf(jobs));
});

test('what rots in an old file is reported and stays in its place, and the rest goes on', async (t) => {
  const disk = new MemoryDisk();
  const damage: string[] = [];
  const options = { segmentBytes: 8000, onDamage: (why: string) => damage.push(why) };
  const { log } = await openOn(disk, options);
  await put(log, pending('a payload that rots'));
  const [first] = [...disk.names.keys()];
  if (first === undefined) throw new Error('no file');
  disk.bytes(first).write('A', disk.bytes(first).indexOf('a payload that rots'));
  for (let count = 0; count < 50; count += 1) {
    const job = pending('x'.repeat(1000));
    await put(log, job);
    await log.write(job.id, 'removed');
  }
  t.is(damage.length, 1);
  t.regex(damage[0] ?? '', /^jobs-00000001\.log is damaged or cut at byte \d+$/);
  t.true(disk.names.has(first));
});

test('a file goes only once the journal is certain not to look for it', async (t) => {
  for (let lifetime = 20; lifetime < 140; lifetime += 1) {
    const disk = new MemoryDisk();
    const { log } = await openOn(disk, { segmentBytes: 6000 });
    disk.lifetime = lifetime;
    while (disk.lifetime > 0) {
      const job = pending('x'.repeat(1500));
      await put(log, job).catch(() => undefined);
      await log.write(job.id, 'removed').catch(() => undefined);
    }
    // Names as they were last, contents as they were certain to be.
    disk.cutPower(
      () => 0.9,
      () => 0.1,
    );
    await t.notThrowsAsync(openOn(disk), `after ${lifetime} operations`);
  }
});

test('a job whose data and state were copied apart comes back as it was, at every start', async (t) => {
  const disk = new MemoryDisk();
  const settings = { segmentBytes: 4000 };
  const kept = Array.from({ length: 12 }, (_, index) => begun(pending(`{"payload":${index}}`)));
  const first = await openOn(disk, settings);
  let { log } = first;
  // Their data lies in the first file; their states follow one by one, so that each lies elsewhere.
  await Promise.all(kept.map((job) => put(log, job)));
  for (let round = 0; round < 24; round += 1) {
    const index = round % kept.length;
    const changed = begun(kept[index] ?? pending());
    kept[index] = changed;
    await put(log, changed);
    for (let passing = 0; passing < 3; passing += 1) {
      const job = pending('x'.repeat(900));
      await put(log, job);
      await log.write(job.id, 'removed');
    }
    await log.close();
    const opened = await openOn(disk, settings);
    t.deepEqual(opened.jobs, kept);
    ({ log } = opened);
  }
});
