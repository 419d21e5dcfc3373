import test from 'ava';
import { openLog } from '#relay/journal/open_log.js';
import { currentSchema, type Schema } from '#relay/journal/record.js';
import { MemoryDisk } from '../helpers/memory_disk.js';
import { openOn, put } from '../helpers/open_logs.js';
import { begun, ended, idsOf, pending } from '../helpers/stored_jobs.js';

/** A release after this one: it calls the owner by another name on disk, and has an upgrade for it. */
const later: Schema = {
  version: currentSchema.version + 1,
  upgrades: new Map([
    [
      currentSchema.version,
      (record) => {
        if ('migrated' in record) throw new Error('upgraded twice');
        upgradedRecords += 1;
        return { ...record, owner: `${String(record['owner'])}+` };
      },
    ],
  ]),
};
let upgradedRecords = 0;

async function written(count: number): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const { log } = await openOn(disk, { segmentBytes: 8000 });
  for (let number = 0; number < count; number += 1) {
    const job = pending(`data ${number}`.repeat(100));
    await put(log, job);
    if (number % 3 === 1) await put(log, begun(job));
    if (number % 3 === 2) await put(log, ended(begun(job)));
  }
  await log.close();
  return disk;
}

test.serial('a journal of an earlier version is taken to the current one, once', async (t) => {
  const disk = await written(12);
  const before = (await openOn(disk.copy())).jobs;
  upgradedRecords = 0;
  const { jobs, log } = await openOn(disk, { schema: later });
  t.is(upgradedRecords, 12);
  t.deepEqual(
    jobs.map((job) => ({ ...job, owner: '' })),
    before,
  );
  t.true(jobs.every(({ owner }) => owner === '+'));
  t.false(disk.names.has('jobs-00000001.log'));
  await put(log, pending());
  disk.kill();
  const again = await openOn(disk, { schema: later });
  t.is(upgradedRecords, 12);
  t.deepEqual(idsOf(again.jobs).slice(0, 12), idsOf(before));
});

test.serial(
  'a kill or a power cut at any point of it loses nothing, and the next start completes it',
  async (t) => {
    const source = await written(8);
    const expected = idsOf((await openOn(source.copy())).jobs);
    let completed = false;
    for (let lifetime = 1; !completed; lifetime += 1) {
      const disk = source.copy();
      const storage = disk.storage();
      disk.lifetime = lifetime;
      completed = await openLog(storage, { schema: later }).then(
        ({ ok }) => ok,
        () => false,
      );
      if (lifetime % 2 === 0) disk.cutPower(Math.random);
      else disk.kill();
      const { jobs } = await openOn(disk, { schema: later });
      t.deepEqual(idsOf(jobs), expected, `killed after ${lifetime} operations`);
      t.true(jobs.every(({ owner }) => owner === '+'));
    }
  },
);

test('an empty journal of an earlier version becomes one of the current version', async (t) => {
  const disk = await written(1);
  const { log, jobs } = await openOn(disk);
  for (const id of idsOf(jobs)) await log.write(id, 'removed');
  await log.close();
  await (await openOn(disk, { schema: later })).log.close();
  const opened = await openLog(disk.storage());
  t.is(opened.ok ? 'opened' : opened.refusal.reason, 'other_version');
});

test('an older release refuses a journal of a newer one and leaves it as it is', async (t) => {
  const disk = await written(3);
  await (await openOn(disk, { schema: later })).log.close();
  const before = [...disk.names.keys()].map((name) => [name, Buffer.from(disk.bytes(name))]);
  const opened = await openLog(disk.storage());
  if (opened.ok) throw new Error('it opened');
  t.is(opened.refusal.reason, 'other_version');
  t.regex(opened.refusal.why, /^jobs-\d+\.log has version 2, this release has 1$/);
  t.deepEqual(
    [...disk.names.keys()].map((name) => [name, disk.bytes(name)]),
    before,
  );
});

test('a version for which there is no upgrade any more is refused', async (t) => {
  const disk = await written(1);
  const opened = await openLog(disk.storage(), { schema: { version: 3, upgrades: new Map() } });
  t.is(opened.ok ? 'opened' : opened.refusal.reason, 'other_version');
});
