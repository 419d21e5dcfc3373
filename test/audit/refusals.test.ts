import test from 'ava';
import { departing, kindsOf, linesOf, openRecord, recordText } from '../helpers/audit.js';
import { eventually } from '../helpers/eventually.js';
import { destination } from '../helpers/jobs.js';
import { MemoryDisk } from '../helpers/memory_disk.js';

function refusal(overrides: { readonly owner?: string; readonly uri?: string } = {}) {
  const { owner = 'app', uri = 'https://forbidden.example/in' } = overrides;
  return {
    owner,
    destination: destination(uri),
    purpose: undefined,
    dataBytes: 7,
    dataSha256: () => 'f'.repeat(64),
    failure: { code: 'destination_refused', rule: 'private' },
  };
}

test('a refused submission has a line; those that are alike are counted for the rest of the minute', async (t) => {
  const disk = new MemoryDisk();
  const { record, clock } = await openRecord(disk);
  for (let count = 0; count < 1000; count += 1) record.refused(refusal());
  await clock.advance(60_000);
  await eventually(() => kindsOf(recordText(disk)).filter((kind) => kind === 'refused').length === 2);
  const [first, rest] = linesOf(recordText(disk)).filter(({ kind }) => kind === 'refused');
  const common = { owner: 'app', destination: 'https://forbidden.example', code: 'destination_refused' };
  t.like(first?.members, { ...common, rule: 'private', bytes: 7, sha256: 'f'.repeat(64) });
  t.like(rest?.members, { ...common, rule: 'private', count: 999, bytes: 6993 });
  record.refused(refusal());
  await eventually(() => kindsOf(recordText(disk)).filter((kind) => kind === 'refused').length === 3);
});

test('a flood of different refusals costs a bounded number of lines, and every one is counted', async (t) => {
  const disk = new MemoryDisk();
  const { record, clock } = await openRecord(disk);
  const flood = 5000;
  for (let count = 0; count < flood; count += 1) {
    const owner = count % 2 === 0 ? 'flooder' : `app ${count}`;
    record.refused(refusal({ owner, uri: `https://host-${count}.example/` }));
  }
  await clock.advance(60_000);
  await record.close();
  const refused = linesOf(recordText(disk)).filter(({ kind }) => kind === 'refused');
  t.true(refused.length <= 401, `${refused.length} lines`);
  t.is(
    refused.reduce((sum, { members }) => sum + Number(members['count'] ?? 1), 0),
    flood,
  );
  t.is(refused.filter(({ members }) => members['owner'] === 'flooder').length, 21);
});

test('refusals are counted, not queued, while the record cannot be written', async (t) => {
  const disk = new MemoryDisk();
  const { record, clock } = await openRecord(disk);
  await record.leaving(departing());
  disk.faults.set('write', 'EROFS');
  record.refused(refusal({ owner: 'first' }));
  await eventually(() => !record.writable);
  for (let minute = 0; minute < 5; minute += 1) {
    for (let count = 0; count < 10; count += 1) record.refused(refusal());
    await clock.advance(60_000);
  }
  disk.faults.clear();
  await clock.advance(60_000);
  await record.close();
  const refused = linesOf(recordText(disk)).filter(({ kind }) => kind === 'refused');
  t.deepEqual(
    refused.map(({ members }) => [members['owner'], members['count']]),
    [
      ['first', undefined],
      ['app', 50],
    ],
  );
});
