import test from 'ava';
import fc from 'fast-check';
import { findPage } from '#relay/admin/find.js';
import type { Ledger } from '#relay/admin/ledger.js';
import { parseQuery } from '#relay/admin/query.js';
import { finish } from '#relay/job/job.js';
import type { ExportPage, ExportRow } from '#relay/page/wire.js';
import { addOpen, sampleLedger } from '../helpers/sample_record.js';

const staying = new AbortController().signal;

async function find(ledger: Ledger, text: string): Promise<ExportPage> {
  const parsed = parseQuery(new URLSearchParams(text));
  if (!parsed.ok) throw new Error(parsed.mistake);
  return findPage(ledger, parsed.query, staying);
}

async function findAll(ledger: Ledger, text: string): Promise<readonly ExportRow[]> {
  const rows: ExportRow[] = [];
  let cursor = '';
  for (;;) {
    const page = await find(ledger, `${text}${cursor}`);
    rows.push(...page.exports);
    if (page.next === null) return rows;
    cursor = `&cursor=${page.next}`;
  }
}

const ledger = sampleLedger({ count: 300, spanMs: 3_600_000 });
addOpen(ledger);

test('the pages together have every entry once: first what is on its way, then what ended, newest first', async (t) => {
  const whole = (await find(ledger, 'limit=200')).exports;
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 200 }), async (limit) => {
      const rows = await findAll(ledger, `limit=${limit}`);
      const { held, pending, processing } = ledger.figures();
      t.is(rows.length, held + pending + processing);
      t.is(new Set(rows.map(({ key }) => key)).size, rows.length);
      t.deepEqual(rows.slice(0, 200), whole);
    }),
    { numRuns: 8 },
  );
  t.deepEqual(
    whole.slice(0, 5).map(({ endedAt }) => endedAt === null),
    [true, true, true, true, false],
  );
  const ends = whole.slice(4).map(({ endedAt }) => Date.parse(endedAt ?? ''));
  t.deepEqual(
    ends,
    [...ends].sort((one, other) => other - one),
  );
});

test('each filter gives what fits it and nothing else, whatever the page size', async (t) => {
  const all = await findAll(ledger, '');
  const filters: Readonly<Record<string, (row: ExportRow) => boolean>> = {
    'part=open': ({ outcome }) => outcome === null,
    'part=ended': ({ outcome }) => outcome !== null,
    'outcome=delivered': ({ outcome }) => outcome === 'delivered',
    'outcome=failed&outcome=refused': ({ outcome }) => outcome === 'failed' || outcome === 'refused',
    'outcome=problems': ({ outcome }) => ['declined', 'failed', 'refused'].includes(outcome ?? ''),
    'app=': ({ app }) => app === '',
    'app=step-counter': ({ app }) => app === 'step-counter',
    'destination=https://backup.example.net': ({ destination }) =>
      destination === 'https://backup.example.net',
    'app=photo-backup&outcome=declined': ({ app, outcome }) =>
      app === 'photo-backup' && outcome === 'declined',
    'q=HEALTH.example.org/IMPORT': ({ path }) => path === '/import/steps',
    'q=electricity': ({ purpose }) => purpose?.includes('electricity') === true,
    'q=private network': ({ reason }) => reason?.includes('private network') === true,
    'q=nothing that is there': () => false,
  };
  for (const [text, fits] of Object.entries(filters)) {
    const expected = all.filter(fits);
    t.deepEqual(await findAll(ledger, `${text}&limit=7`), expected, text);
    t.is(expected.length > 0, text !== 'q=nothing that is there', text);
  }
});

test('an export is found by the beginning of its id', async (t) => {
  const [row] = (await find(ledger, 'part=ended&outcome=delivered&limit=1')).exports;
  const { exports } = await find(ledger, `q=${row?.ref ?? ''}`);
  t.deepEqual(
    exports.map(({ key }) => key),
    [row?.key],
  );
});

test('what ends while somebody turns pages shifts nothing', async (t) => {
  const changing = sampleLedger({ count: 50, spanMs: 60_000 });
  const before = await findAll(changing, 'part=ended');
  const first = await find(changing, 'part=ended&limit=10');
  for (const job of addOpen(changing)) {
    changing.onChange(
      finish(job, { kind: 'gave_up', error: { code: 'cancelled', message: '' } }, Date.now()),
    );
  }
  const second = await find(changing, `part=ended&limit=10&cursor=${first.next ?? ''}`);
  t.deepEqual([...first.exports, ...second.exports], before.slice(0, 20));
  t.is((await findAll(changing, 'part=ended')).length, before.length + 4);
});

for (const text of [
  'part=all',
  'outcome=good',
  'limit=0',
  'limit=201',
  'limit=ten',
  'cursor=',
  'cursor=ended.x',
  'cursor=ended.1234567890123456',
]) {
  test(`${text} is refused in words`, (t) => {
    const parsed = parseQuery(new URLSearchParams(text));
    t.regex(parsed.ok ? '' : parsed.mistake, /^\w+: expects /);
  });
}

test('a search through everything lets others have their turn', async (t) => {
  const large = sampleLedger({ count: 20_000, spanMs: 3_600_000 });
  let turns = 0;
  const count = setInterval(() => (turns += 1), 0);
  const { exports } = await find(large, 'q=nothing that is there');
  clearInterval(count);
  t.is(exports.length, 0);
  t.true(turns > 3, `${turns} turns`);
});

test('a search ends when nobody waits for its answer any more', async (t) => {
  const large = sampleLedger({ count: 5000, spanMs: 3_600_000 });
  const parsed = parseQuery(new URLSearchParams('q=nothing that is there'));
  if (!parsed.ok) return t.fail();
  let looked = 0;
  const counting = Object.assign(Object.create(large) as Ledger, {
    open: () => large.open(),
    endedBefore: (seq: number) => {
      looked += 1;
      return large.endedBefore(seq);
    },
  });
  await findPage(counting, parsed.query, AbortSignal.abort());
  t.true(looked <= 500, `${looked} entries`);
});
