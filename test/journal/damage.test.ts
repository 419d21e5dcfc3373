import test from 'ava';
import { openLog } from '#relay/journal/open_log.js';
import type { Job } from '#relay/job/job.js';
import { MemoryDisk } from '../helpers/memory_disk.js';
import { openOn, put } from '../helpers/open_logs.js';
import { begun, ended, pending } from '../helpers/stored_jobs.js';

interface Written {
  readonly disk: MemoryDisk;
  /** What was acknowledged, as it has to come back. */
  readonly jobs: readonly Job[];
}

/** A journal of a few segments with jobs in all states, some of them changed and removed. */
async function written(segmentBytes = 12_000): Promise<Written> {
  const disk = new MemoryDisk();
  const { log } = await openOn(disk, { segmentBytes });
  for (let count = 0; count < 24; count += 1) {
    const job = pending(`data ${count} `.repeat(40));
    await put(log, job);
    if (count % 4 > 0) await put(log, begun(job));
    if (count % 4 > 1) await put(log, ended(begun(job), `answer ${count}`));
    if (count % 4 > 2) await log.write(job.id, 'removed');
  }
  await log.close();
  return { disk, jobs: (await openOn(disk.copy())).jobs };
}

/** Opens a damaged copy: it has everything, or says that it is damaged and is left as it is. */
async function hold({ disk, jobs }: Written, what: string): Promise<'opened' | 'damaged'> {
  const before = new Map([...disk.names.keys()].map((name) => [name, disk.bytes(name).toString('latin1')]));
  const opened = await openLog(disk.storage());
  if (opened.ok) {
    const [is, was] = [opened.jobs, jobs].map((list) => JSON.stringify(list));
    if (is !== was) throw new Error(`${what}: it opened with something lost or changed`);
    return 'opened';
  }
  if (opened.refusal.reason !== 'damaged') throw new Error(`${what}: ${opened.refusal.reason}`);
  for (const [name, bytes] of before) {
    if (disk.bytes(name).toString('latin1') !== bytes) throw new Error(`${what}: ${name} was changed`);
  }
  return 'damaged';
}

const flips = Number(process.env['JOURNAL_FLIPS'] ?? 400);

test('a flipped byte anywhere is noticed, or hurts nothing', async (t) => {
  const whole = await written();
  const names = [...whole.disk.names.keys()];
  const seen = { opened: 0, damaged: 0 };
  for (let count = 0; count < flips; count += 1) {
    const disk = whole.disk.copy();
    const name = names[count % names.length] ?? '';
    const bytes = disk.bytes(name);
    const offset = Math.floor(Math.random() * bytes.length);
    bytes[offset] = (bytes[offset] ?? 0) ^ (1 << Math.floor(Math.random() * 8));
    seen[await hold({ disk, jobs: whole.jobs }, `${name}, byte ${offset}`)] += 1;
  }
  t.true(seen.opened > 0 && seen.damaged > 0, JSON.stringify(seen));
});

for (const sector of [512, 4096]) {
  test(`a zeroed sector of ${sector} bytes is noticed, or hurts nothing`, async (t) => {
    const whole = await written();
    const seen = { opened: 0, damaged: 0 };
    for (const name of whole.disk.names.keys()) {
      for (let offset = 0; offset < whole.disk.bytes(name).length; offset += sector) {
        const disk = whole.disk.copy();
        disk
          .bytes(name)
          .subarray(offset, offset + sector)
          .fill(0);
        seen[await hold({ disk, jobs: whole.jobs }, `${name}, from byte ${offset}`)] += 1;
      }
    }
    t.true(seen.damaged > 0, JSON.stringify(seen));
  });
}

test('a file cut at any length is noticed', async (t) => {
  const whole = await written();
  for (const name of whole.disk.names.keys()) {
    const { length } = whole.disk.bytes(name);
    for (let cut = 1; cut <= 4096; cut += cut < 64 ? 1 : 29) {
      const disk = whole.disk.copy();
      disk.setBytes(name, disk.bytes(name).subarray(0, length - cut));
      t.is(await hold({ disk, jobs: whole.jobs }, `${name}, ${cut} bytes less`), 'damaged');
    }
  }
});

test('after a kill only the room at the end of the newest file can be cut off', async (t) => {
  const disk = new MemoryDisk();
  const { log } = await openOn(disk);
  const job = pending();
  await put(log, job);
  disk.kill();
  const name = 'jobs-00000001.log';
  const whole = { disk, jobs: (await openOn(disk.copy())).jobs };
  const used = 4096 + disk.bytes(name).subarray(4096).indexOf(Buffer.alloc(64));
  t.true(used > 4096 && used < 6000);
  const cut = (length: number): MemoryDisk => {
    const copy = disk.copy();
    copy.setBytes(name, disk.bytes(name).subarray(0, length));
    return copy;
  };
  for (const length of [used, used + 1, used + 4096, disk.bytes(name).length - 1]) {
    t.is(await hold({ disk: cut(length), jobs: whole.jobs }, `cut to ${length}`), 'opened');
  }
  for (const length of [used - 1, used - 2, used - 100]) {
    t.is(await hold({ disk: cut(length), jobs: whole.jobs }, `cut to ${length}`), 'damaged');
  }
});

const broken: readonly {
  readonly what: string;
  readonly harm: (disk: MemoryDisk) => void;
  readonly why: RegExp;
}[] = [
  {
    what: 'the first file is missing',
    harm: (disk) => disk.names.delete('jobs-00000001.log'),
    why: /^jobs-00000001\.log is missing$/,
  },
  {
    what: 'a file in the middle is missing',
    harm: (disk) => disk.names.delete('jobs-00000002.log'),
    why: /^jobs-00000002\.log is missing$/,
  },
  {
    what: 'the newest file is missing',
    harm: (disk) => disk.names.delete([...disk.names.keys()].at(-1) ?? ''),
    why: /^jobs-\d+\.log is missing$/,
  },
  {
    what: 'a file is empty',
    harm: (disk) => disk.setBytes('jobs-00000002.log', Buffer.alloc(0)),
    why: /^jobs-00000002\.log does not begin as a file of a journal$/,
  },
  {
    what: 'a file is of another kind',
    harm: (disk) => disk.setBytes('jobs-00000002.log', Buffer.from('SQLite format 3\0'.repeat(1000))),
    why: /^jobs-00000002\.log does not begin as a file of a journal$/,
  },
  {
    what: 'a file lies under the name of another',
    harm: (disk) => disk.setBytes('jobs-00000002.log', disk.bytes('jobs-00000001.log')),
    why: /^jobs-00000002\.log has a damaged first page$/,
  },
];

for (const { what, harm, why } of broken) {
  test(`it is noticed that ${what}`, async (t) => {
    const { disk } = await written();
    harm(disk);
    const opened = await openLog(disk.storage());
    if (opened.ok) throw new Error('it opened');
    t.is(opened.refusal.reason, 'damaged');
    t.regex(opened.refusal.why, why);
  });
}

test('a file of another journal is noticed', async (t) => {
  const [{ disk }, other] = [await written(), await written()];
  disk.setBytes('jobs-00000002.log', other.disk.bytes('jobs-00000002.log'));
  const opened = await openLog(disk.storage());
  t.is(opened.ok ? '' : opened.refusal.why, 'jobs-00000002.log belongs to another journal');
});

test('an older copy of one file among newer ones is noticed', async (t) => {
  const disk = new MemoryDisk();
  const { log } = await openOn(disk, { segmentBytes: 8000 });
  await put(log, pending());
  const older = Buffer.from(disk.bytes('jobs-00000001.log'));
  for (let count = 0; count < 10; count += 1) await put(log, pending('x'.repeat(1000)));
  disk.kill();
  disk.setBytes('jobs-00000001.log', older);
  const opened = await openLog(disk.storage());
  t.is(opened.ok ? 'opened' : opened.refusal.reason, 'damaged');
});
