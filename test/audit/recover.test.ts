import test from 'ava';
import fc from 'fast-check';
import { recover } from '#relay/audit/recover.js';
import {
  arrived,
  departing,
  key,
  kindsOf,
  linesOf,
  openRecord,
  problems,
  recordText,
  verifyText,
} from '../helpers/audit.js';
import { eventually } from '../helpers/eventually.js';
import { MemoryDisk } from '../helpers/memory_disk.js';

/** A disk with a record of some exports, whose process was killed. */
async function killed({ exports = 3, maxFileBytes = 1 << 20 } = {}): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const { record } = await openRecord(disk, { maxFileBytes });
  for (let count = 0; count < exports; count += 1) {
    const job = departing();
    await record.leaving(job);
    await record.ended(arrived(job));
  }
  disk.kill();
  return disk;
}

async function refusalOf(disk: MemoryDisk): Promise<string> {
  const before = recordText(disk);
  const recovery = await recover(disk.storage(), 'audit.log', key.publicKey);
  if (recovery.ok) throw new Error('it was not refused');
  if (recordText(disk) !== before) throw new Error('something was changed');
  return recovery.why;
}

test('a torn last line is cut off, and what stood there is on record', async (t) => {
  const whole = await killed();
  const bytes = whole.bytes('audit.log');
  const lastLine = bytes.lastIndexOf(0x0a, bytes.length - 2) + 1;
  for (let length = lastLine + 1; length < bytes.length; length += 13) {
    const disk = whole.copy();
    disk.setBytes('audit.log', bytes.subarray(0, length));
    const { record } = await openRecord(disk);
    await record.leaving(departing());
    const text = recordText(disk);
    t.deepEqual(problems(verifyText(text)), []);
    const repaired = linesOf(text).find(({ kind }) => kind === 'repaired');
    t.like(repaired?.members, {
      bytes: length - lastLine,
      text: bytes.toString('utf8', lastLine, Math.min(length, lastLine + 500)),
    });
    t.true(kindsOf(text).includes('unfinished'));
  }
});

test('a start after a kill and one after a stop can be told apart', async (t) => {
  const disk = await killed();
  await (await openRecord(disk)).record.close();
  await (await openRecord(disk)).record.close();
  const starts = linesOf(recordText(disk)).filter(({ kind }) => kind === 'start');
  t.deepEqual(
    starts.map(({ members }) => members['after']),
    ['nothing', 'kill', 'stop'],
  );
});

test('a record that was tampered with stops the start, and nothing is changed', async (t) => {
  const whole = await killed();
  const lines = recordText(whole).split('\n').slice(0, -1);
  for (let at = 0; at < lines.length - 1; at += 1) {
    const disk = whole.copy();
    const changed = lines.toSpliced(at, 1, (lines[at] ?? '').replace('"time":"2030', '"time":"2031'));
    disk.setBytes('audit.log', Buffer.from(changed.map((line) => `${line}\n`).join('')));
    t.regex(await refusalOf(disk), /a line of audit\.log was changed or damaged/, `line ${at + 1}`);
  }
  const disk = whole.copy();
  const removed = lines.toSpliced(3, 1);
  disk.setBytes('audit.log', Buffer.from(removed.map((line) => `${line}\n`).join('')));
  t.regex(await refusalOf(disk), /audit\.log:4: line 4 is missing/);
});

test('a record of another version or another key stops the start', async (t) => {
  const disk = await killed();
  const recovery = await recover(disk.storage(), 'audit.log', { ...key.publicKey, fingerprint: 'other' });
  t.regex(recovery.ok ? '' : recovery.why, /signed with another key/);
});

test('a file that was put back in the wrong place stops the start', async (t) => {
  const disk = await killed({ exports: 30, maxFileBytes: 5000 });
  disk.setBytes('audit.log', disk.bytes('audit.log.2'));
  t.regex(await refusalOf(disk), /audit\.log is its file 2, and there is a audit\.log\.\d/);
});

test('a start between two files goes on with the next', async (t) => {
  const disk = await killed({ exports: 30, maxFileBytes: 5000 });
  disk.names.delete('audit.log');
  const newest = Math.max(...[...disk.names.keys()].map((name) => Number(name.slice(10))));
  for (const content of [undefined, '', '{"seq":1']) {
    const copy = disk.copy();
    if (content !== undefined) copy.setBytes('audit.log', Buffer.from(content));
    const { record } = await openRecord(copy);
    await record.leaving(departing());
    const text = recordText(copy);
    t.deepEqual(problems(verifyText(text)), []);
    t.is(linesOf(copy.bytes('audit.log').toString())[0]?.members['file'], newest + 1);
    t.is(kindsOf(text).includes('repaired'), content === '{"seq":1');
  }
});

test('what a kill left unfinished is never forgotten, wherever the next start is killed', async (t) => {
  const whole = new MemoryDisk();
  const { record } = await openRecord(whole, { maxFileBytes: 1500 });
  const jobs = [departing(), departing()];
  await Promise.all(jobs.map((job) => record.leaving(job)));
  whole.kill();
  for (let lifetime = 0; lifetime < 12; lifetime += 1) {
    const disk = whole.copy();
    // The file is full: the start goes on in another.
    const next = openRecord(disk, { maxFileBytes: 1500 });
    disk.lifetime = lifetime;
    const { record: interrupted, outages } = await next;
    await eventually(() => outages.length > 0 || interrupted.head.seq > 6);
    disk.kill();
    const last = await openRecord(disk);
    await last.record.leaving(departing());
    const unfinished = linesOf(recordText(disk)).filter(({ kind }) => kind === 'unfinished');
    for (const { id } of jobs) {
      t.true(
        unfinished.some(({ members }) => members['job'] === id),
        `killed after ${lifetime} operations`,
      );
    }
  }
});

test('what the journal knows of a job that a kill left unfinished is on record as its end', async (t) => {
  const disk = new MemoryDisk();
  const { record } = await openRecord(disk);
  const job = departing();
  await record.leaving(job);
  disk.kill();
  const next = await openRecord(disk, { broughtBack: new Map([[job.id, arrived(job)]]) });
  await next.record.leaving(departing());
  const [line] = linesOf(recordText(disk)).filter(({ kind }) => kind === 'export');
  t.like(line?.members, { job: job.id, status: 200, left: 'yes' });
  t.false(kindsOf(recordText(disk)).includes('unfinished'));
});

test('there is never a hundred lines without a checkpoint, however often the relay is killed', async (t) => {
  const disk = new MemoryDisk();
  for (let run = 0; run < 60; run += 1) {
    const { record } = await openRecord(disk, { maxFileBytes: 20_000 });
    for (let count = 0; count < 5; count += 1) await record.leaving(departing());
    disk.kill();
  }
  t.deepEqual(problems(verifyText(recordText(disk))), []);
});

test('a torn end longer than what is written next leaves nothing behind it', async (t) => {
  const disk = await killed();
  disk.setBytes('audit.log', Buffer.concat([disk.bytes('audit.log'), Buffer.alloc(20_000, 'x')]));
  const { record } = await openRecord(disk);
  await record.leaving(departing());
  t.false(recordText(disk).endsWith('x'));
  t.deepEqual(problems(verifyText(recordText(disk))), []);
});

test('what a start goes on from is there after a power cut, even if the system had failed to write it', async (t) => {
  const disk = new MemoryDisk();
  const { record } = await openRecord(disk);
  await record.leaving(departing());
  disk.faults.set('sync', 'EIO').set('truncate', 'EIO');
  await t.throwsAsync(record.leaving(departing()));
  disk.faults.clear();
  disk.kill();
  t.is(kindsOf(recordText(disk)).filter((kind) => kind === 'leaving').length, 2);
  const next = await openRecord(disk);
  await next.record.leaving(departing());
  disk.cutPower(() => 0.9);
  t.deepEqual(problems(verifyText(recordText(disk))), []);
  t.is(kindsOf(recordText(disk)).filter((kind) => kind === 'leaving').length, 3);
});

test('after a power cut what was acknowledged is on record, or the start is refused, never less', async (t) => {
  const numRuns = Number(process.env['AUDIT_POWER_CUTS'] ?? 100);
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 60 }),
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      async (lifetime, dice) => {
        const disk = new MemoryDisk();
        const { record } = await openRecord(disk, { maxFileBytes: 4000 });
        disk.lifetime = lifetime;
        const acknowledged: string[] = [];
        for (let count = 0; count < 8; count += 1) {
          const jobs = [departing(), departing()];
          const leaving = jobs.map((job) =>
            record.leaving(job).then(
              () => void acknowledged.push(job.id),
              () => undefined,
            ),
          );
          await Promise.all(leaving);
        }
        disk.cutPower(() => Number(dice.next().value));
        const recovery = await recover(disk.storage(), 'audit.log', key.publicKey);
        const text = recordText(disk);
        for (const id of acknowledged) t.true(text.includes(id), id);
        if (!recovery.ok) {
          refused += 1;
          return;
        }
        for (const id of acknowledged)
          t.true(recovery.recovered.open.has(id), `${id} is not known to be open`);
        const { record: next } = await openRecord(disk);
        await next.leaving(departing());
        t.deepEqual(problems(verifyText(recordText(disk))), []);
      },
    ),
    { numRuns, includeErrorInReport: true },
  );
  t.true(refused < numRuns / 10, `${refused} starts were refused`);
});
