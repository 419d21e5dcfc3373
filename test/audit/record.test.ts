import { createHash } from 'node:crypto';
import test from 'ava';
import { bounded } from '#relay/audit/entry.js';
import { AuditWriteError } from '#relay/audit/log.js';
import { finish } from '#relay/job/job.js';
import {
  arrived,
  departing,
  kindsOf,
  linesOf,
  openRecord,
  problems,
  recordText,
  told,
  verifyText,
} from '../helpers/audit.js';
import { eventually } from '../helpers/eventually.js';
import { answered, destination } from '../helpers/jobs.js';
import { MemoryDisk } from '../helpers/memory_disk.js';

test('an export has a line before it leaves and one before its end can be read', async (t) => {
  const disk = new MemoryDisk();
  const { record } = await openRecord(disk);
  const job = departing({
    owner: 'app',
    purpose: 'backup',
    data: '{"clear":"text"}',
    dataBytes: 16,
    destination: destination('https://receiver.example/in?token=swordfish'),
  });
  await record.leaving(job);
  t.is(kindsOf(recordText(disk)).at(-1), 'leaving');
  record.attempted(job.id, { ...answered(201), address: '192.0.2.7' });
  await record.ended(arrived(job, 201));
  disk.kill();
  const line = linesOf(recordText(disk)).at(-1);
  t.like(line?.members, {
    kind: 'export',
    job: job.id,
    owner: 'app',
    destination: 'https://receiver.example',
    purpose: 'backup',
    bytes: 16,
    sha256: createHash('sha256').update('{"clear":"text"}').digest('hex'),
    attempts: 1,
    status: 201,
    left: 'yes',
    address: '192.0.2.7',
  });
  t.notRegex(recordText(disk), /swordfish|clear/);
  t.deepEqual(problems(verifyText(recordText(disk))), []);
});

const ends: readonly {
  readonly how: string;
  readonly address?: string;
  readonly internal: string;
  readonly left: string;
}[] = [
  { how: 'was never connected', internal: 'ENOTFOUND', left: 'no' },
  { how: 'was refused when connecting', internal: 'private', left: 'no' },
  { how: 'was connected and got no answer', address: '192.0.2.7', internal: 'ECONNRESET', left: 'maybe' },
];
for (const { how, address, internal, left } of ends) {
  test(`of a job that ${how} the record says why, and whether data left`, async (t) => {
    const disk = new MemoryDisk();
    const { record } = await openRecord(disk);
    const job = departing();
    await record.leaving(job);
    const error = { code: 'dns_failed', message: 'for the app' } as const;
    record.attempted(job.id, {
      kind: 'failed',
      error: { ...error, internal },
      ...(address !== undefined && { address }),
    });
    await record.ended(finish(job, { kind: 'gave_up', error }, 0));
    const { members } = linesOf(recordText(disk)).at(-1) ?? {};
    t.like(members, { kind: 'export', code: 'dns_failed', reason: internal, left });
    t.is(members?.['address'], address);
    t.is(members?.['status'], undefined);
  });
}

test('a job that is cancelled in flight may have left', async (t) => {
  const disk = new MemoryDisk();
  const { record } = await openRecord(disk);
  const job = departing();
  await record.leaving(job);
  await record.ended(finish(job, { kind: 'gave_up', error: { code: 'cancelled', message: '' } }, 0));
  t.like(linesOf(recordText(disk)).at(-1)?.members, { code: 'cancelled', left: 'maybe' });
});

test('a job that ends before any attempt has no line', async (t) => {
  const disk = new MemoryDisk();
  const { record } = await openRecord(disk);
  const job = departing();
  await record.ended(finish(job, { kind: 'gave_up', error: { code: 'expired', message: '' } }, 0));
  await record.close();
  t.deepEqual(kindsOf(recordText(disk)), ['begin', 'start', 'stop', 'checkpoint']);
});

test('later attempts of a job add no line, and every address it reached is kept', async (t) => {
  const disk = new MemoryDisk();
  const { record } = await openRecord(disk);
  const job = departing();
  for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.1']) {
    await record.leaving(job);
    record.attempted(job.id, { ...answered(503), address });
  }
  await record.ended(arrived(job));
  t.deepEqual(kindsOf(recordText(disk)), ['begin', 'start', 'leaving', 'export']);
  const members = linesOf(recordText(disk)).at(-1)?.members;
  t.like(members, { address: '192.0.2.1', other_addresses: ['192.0.2.2'] });
});

test('while the disk is full nothing leaves; it goes on by itself and the gap is on record', async (t) => {
  const disk = new MemoryDisk();
  const { record, clock, outages, writes } = await openRecord(disk);
  const [before, during] = [departing(), departing()];
  await record.leaving(before);
  // Enough for a part of a line.
  disk.capacityBytes = disk.usedBytes + 100;
  await t.throwsAsync(record.leaving(during), { instanceOf: AuditWriteError, message: /ENOSPC/ });
  t.false(record.writable);
  for (let second = 0; second < 5; second += 1) {
    const ended = t.throwsAsync(record.ended(arrived(before)), { instanceOf: AuditWriteError });
    const again = t.throwsAsync(record.leaving(before), { instanceOf: AuditWriteError });
    await clock.advance(1000);
    await Promise.all([ended, again]);
  }
  t.deepEqual(outages, ['ENOSPC']);
  t.deepEqual(kindsOf(recordText(disk)), ['begin', 'start', 'leaving']);
  t.deepEqual(problems(verifyText(recordText(disk))), []);
  disk.capacityBytes = Infinity;
  await clock.advance(1000);
  await eventually(() => record.writable);
  await record.ended(arrived(before));
  await record.leaving(during);
  t.deepEqual(outages, ['ENOSPC', undefined]);
  const lines = linesOf(recordText(disk));
  t.deepEqual(told(writes), [true, lines.length, recordText(disk).length]);
  t.deepEqual(
    lines.slice(3).map(({ kind }) => kind),
    ['resumed', 'export', 'checkpoint', 'leaving'],
  );
  t.like(lines[3]?.members, { reason: 'ENOSPC', since: '2030-01-01T00:00:00.000Z' });
  t.deepEqual(problems(verifyText(recordText(disk))), []);
});

test('the end of a job that cannot be written is not forgotten, even if nobody asks again', async (t) => {
  const disk = new MemoryDisk();
  const { record, clock } = await openRecord(disk);
  const job = departing();
  await record.leaving(job);
  disk.faults.set('write', 'EIO');
  await t.throwsAsync(record.ended(arrived(job)), { instanceOf: AuditWriteError });
  disk.faults.clear();
  await clock.advance(1000);
  await eventually(() => record.unfinished === 0);
  await record.ended(arrived(job));
  t.is(kindsOf(recordText(disk)).filter((kind) => kind === 'export').length, 1);
  t.is(record.unfinished, 0);
});

test('an outage is noticed to be over even if nobody waits', async (t) => {
  const disk = new MemoryDisk();
  const { record, clock } = await openRecord(disk);
  await record.leaving(departing());
  disk.faults.set('sync', 'EIO');
  await t.throwsAsync(record.leaving(departing()), { instanceOf: AuditWriteError });
  disk.faults.clear();
  await clock.advance(1000);
  await eventually(() => record.writable);
  t.deepEqual(problems(verifyText(recordText(disk))), []);
});

test('a job that could not be recorded to leave has no line, and is no unfinished business', async (t) => {
  const disk = new MemoryDisk();
  const { record } = await openRecord(disk);
  await record.leaving(departing());
  disk.faults.set('write', 'EIO');
  const job = departing();
  await t.throwsAsync(record.leaving(job));
  await record.ended(finish(job, { kind: 'gave_up', error: { code: 'cancelled', message: '' } }, 0));
  t.is(record.unfinished, 1);
});

test('what fails to be synced goes on in another file', async (t) => {
  const disk = new MemoryDisk();
  const { record, clock } = await openRecord(disk);
  const job = departing();
  await record.leaving(job);
  disk.faults.set('sync', 'EIO');
  await t.throwsAsync(record.ended(arrived(job)));
  disk.faults.clear();
  await clock.advance(1000);
  await eventually(() => record.unfinished === 0);
  t.deepEqual([...disk.names.keys()].sort(), ['audit.log', 'audit.log.1']);
  t.deepEqual(problems(verifyText(recordText(disk))), []);
  disk.kill();
  t.is((await openRecord(disk)).record.unfinished, 0);
});

test('there is a checkpoint after every hundred lines', async (t) => {
  const disk = new MemoryDisk();
  const { record } = await openRecord(disk);
  await Promise.all(Array.from({ length: 350 }, () => record.leaving(departing())));
  const kinds = kindsOf(recordText(disk));
  t.deepEqual(
    kinds.flatMap((kind, at) => (kind === 'checkpoint' ? [at + 1] : [])),
    [101, 202, 303],
  );
  t.deepEqual(problems(verifyText(recordText(disk))), []);
});

test('there is a checkpoint every minute in which there was something', async (t) => {
  const disk = new MemoryDisk();
  const { record, clock } = await openRecord(disk);
  await record.leaving(departing());
  const checkpoints = (): number => kindsOf(recordText(disk)).filter((kind) => kind === 'checkpoint').length;
  await clock.advance(59_000);
  t.is(checkpoints(), 0);
  await clock.advance(1000);
  await eventually(() => checkpoints() === 1);
  await clock.advance(600_000);
  t.is(checkpoints(), 1);
  await record.leaving(departing());
  await clock.advance(60_000);
  await eventually(() => checkpoints() === 2);
});

test('the stop ends the record with what is unfinished and a checkpoint, and leaves no timer', async (t) => {
  const disk = new MemoryDisk();
  const { record, clock } = await openRecord(disk);
  const job = departing();
  await record.leaving(job);
  await record.close();
  t.is(clock.armed, 0);
  const lines = linesOf(recordText(disk));
  t.deepEqual(
    lines.slice(-3).map(({ kind }) => kind),
    ['unfinished', 'stop', 'checkpoint'],
  );
  t.like(lines.at(-3)?.members, { job: job.id, line: 3 });
  t.is(verifyText(recordText(disk)).uncovered, 0);
  await t.throwsAsync(record.leaving(departing()), { instanceOf: AuditWriteError });
  await t.throwsAsync(record.ended(arrived(job)), { instanceOf: AuditWriteError });
});

test('a stop while the disk is full ends all the same', async (t) => {
  const disk = new MemoryDisk();
  const { record, clock } = await openRecord(disk);
  const job = departing();
  await record.leaving(job);
  disk.capacityBytes = disk.usedBytes;
  await t.throwsAsync(record.ended(arrived(job)));
  await record.close();
  t.is(clock.armed, 0);
  disk.capacityBytes = Infinity;
  await openRecord(disk);
  await eventually(() => kindsOf(recordText(disk)).includes('unfinished'));
  t.deepEqual(problems(verifyText(recordText(disk))), []);
});

test('files follow one another in one chain, and the newest alone tells what is unfinished', async (t) => {
  const disk = new MemoryDisk();
  const { record } = await openRecord(disk, { maxFileBytes: 5000 });
  const open = departing();
  await record.leaving(open);
  for (let count = 0; count < 40; count += 1) {
    const job = departing();
    await record.leaving(job);
    await record.ended(arrived(job));
  }
  const files = [...disk.names.keys()];
  t.true(files.length > 5);
  for (const file of files) {
    t.is(linesOf(disk.bytes(file).toString())[0]?.kind, 'begin');
    t.true(disk.bytes(file).length < 7000);
    if (file !== 'audit.log') t.is(kindsOf(disk.bytes(file).toString()).at(-1), 'checkpoint');
  }
  t.deepEqual(problems(verifyText(recordText(disk))), []);
  disk.kill();
  const next = await openRecord(disk);
  const job = departing();
  await next.record.leaving(job);
  const unfinished = linesOf(recordText(disk)).filter(({ kind }) => kind === 'unfinished');
  t.deepEqual(
    unfinished.map(({ members }) => [members['job'], members['line']]),
    [[open.id, 3]],
  );
  await next.record.ended(arrived(open));
  t.is(linesOf(recordText(disk)).at(-1)?.members['sha256'], linesOf(recordText(disk))[2]?.members['sha256']);
});

test('a hostile text stays on its line, and is cut to a length that tells it from others', async (t) => {
  const disk = new MemoryDisk();
  const { record } = await openRecord(disk);
  const hostile = '\n{"seq":1}\r\u2028\u202e\u0000\ud800"\\\u{e0041}';
  const long = ['a', 'b'].map((end) => 'x'.repeat(4000) + end);
  const jobs = [
    departing({ owner: hostile, purpose: hostile }),
    ...long.map((owner) => departing({ owner })),
  ];
  for (const job of jobs) await record.leaving(job);
  const text = recordText(disk);
  t.notRegex(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  t.deepEqual(problems(verifyText(text)), []);
  const owners = linesOf(text)
    .slice(2)
    .map(({ members }) => String(members['owner']));
  t.is(owners[0], hostile);
  t.true(owners.every((owner) => owner.length < 300));
  t.is(new Set(owners).size, 3);
  t.is(bounded('short', 10), 'short');
});
