import test from 'ava';
import { type JobResult, endAttempt } from '#relay/job/job.js';
import type { Departure } from '#relay/page/wire.js';
import {
  accepted,
  attempted,
  ended,
  endedRows,
  gaveUp,
  ledgerOf,
  nowMs,
  ok,
  openRows,
  refusal,
} from '../helpers/admin_ledger.js';
import { destination, failedWith } from '../helpers/jobs.js';

test('an export is shown on its way and then once, with how it ended', (t) => {
  const ledger = ledgerOf();
  const job = accepted(ledger, { owner: 'app', dataBytes: 12, purpose: 'because' });
  t.like(openRows(ledger)[0], { state: 'Pending', app: 'app', bytes: 12, purpose: 'because', left: 'no' });
  const started = attempted(ledger, job);
  t.like(openRows(ledger)[0], { state: 'Processing', attempts: 1, left: 'perhaps', outcome: null });
  t.like(ledger.figures(), { pending: 0, processing: 1, held: 0 });
  ended(ledger, started, ok(201));
  t.deepEqual(openRows(ledger), []);
  const [row, ...others] = endedRows(ledger);
  t.like(row, { state: 'Finished', outcome: 'delivered', status: 201, left: 'yes', reason: null });
  t.is(others.length, 0);
  t.like(ledger.figures(), { pending: 0, processing: 0, held: 1 });
});

test('of the uri it keeps no query, and of the id no more than its beginning', (t) => {
  const ledger = ledgerOf();
  const job = accepted(ledger, { destination: destination('https://a.example/in?token=s3cret&x=1') });
  const [row] = openRows(ledger);
  t.like(row, { destination: 'https://a.example', path: '/in', query: true, ref: job.id.slice(0, 8) });
  t.false(JSON.stringify([...ledger.open()]).includes('s3cret'));
  t.false(JSON.stringify([...ledger.open()]).includes(job.id));
});

const departures: readonly (readonly [results: readonly JobResult[], left: Departure, why: string])[] = [
  [[gaveUp('connect_failed')], 'no', 'no connection stood'],
  [[gaveUp('dns_failed')], 'no', 'the name led nowhere'],
  [[gaveUp('tls_failed')], 'perhaps', 'TLS can fail on a connection that stands'],
  [[gaveUp('timeout')], 'perhaps', 'it may have been sent before the time was up'],
  [[gaveUp('connection_reset')], 'perhaps', 'it may have been sent before the connection broke'],
  [[gaveUp('timeout'), gaveUp('connect_failed')], 'perhaps', 'the first of two attempts may have'],
  [[ok(503), gaveUp('connect_failed')], 'yes', 'the first of two attempts was answered'],
  [[ok(400)], 'yes', 'whoever answers has been asked'],
];

for (const [results, left, why] of departures) {
  const names = results
    .map((result) => (result.kind === 'answered' ? 'an answer' : result.error.code))
    .join(', then ');
  test(`after ${names} the data left: ${left} (${why})`, (t) => {
    const ledger = ledgerOf();
    let job = accepted(ledger, { dataBytes: 100 });
    for (const [index, result] of results.entries()) {
      job = attempted(ledger, job);
      if (index === results.length - 1) ended(ledger, job, result);
      else
        job = endAttempt(
          job,
          result.kind === 'answered' ? result.answer.statusCode : result.error.code,
          nowMs,
          1,
        );
    }
    t.is(endedRows(ledger)[0]?.left, left);
    t.is(ledger.last24Hours().bytes, left === 'no' ? 0 : 100);
  });
}

for (const [address, left, reason] of [
  [undefined, 'no', 'The destination could not prove that it is who it says.'],
  ['192.0.2.1', 'perhaps', 'The encrypted connection to the destination broke.'],
] as const) {
  const where = address === undefined ? 'in the handshake' : 'on a connection that stands';
  test(`after TLS that failed ${where} the data left: ${left}`, (t) => {
    const ledger = ledgerOf();
    const job = attempted(ledger, accepted(ledger));
    const outcome = { ...failedWith('tls_failed'), ...(address !== undefined && { address }) };
    ledger.onAttempt({ job, outcome, durationMs: 1, retryInMs: undefined });
    ended(ledger, job, gaveUp('tls_failed'));
    t.like(endedRows(ledger)[0], { left, reason });
  });
}

test('an attempt that is cancelled in flight may have left, though the one before had no connection', (t) => {
  const ledger = ledgerOf();
  const job = attempted(ledger, accepted(ledger));
  ledger.onAttempt({ job, outcome: failedWith('connect_failed'), durationMs: 1, retryInMs: 1 });
  ended(ledger, attempted(ledger, endAttempt(job, 'connect_failed', nowMs, 1)), gaveUp('cancelled'));
  t.is(endedRows(ledger)[0]?.left, 'perhaps');
});

test('a job that is cancelled before its turn never left, and one in flight may have', (t) => {
  const ledger = ledgerOf();
  ended(ledger, accepted(ledger), gaveUp('cancelled'));
  ended(ledger, attempted(ledger, accepted(ledger)), gaveUp('cancelled'));
  t.deepEqual(
    endedRows(ledger).map(({ outcome, left }) => [outcome, left]),
    [
      ['cancelled', 'perhaps'],
      ['cancelled', 'no'],
    ],
  );
});

test('an attempt that another one follows tells why and when', (t) => {
  const ledger = ledgerOf();
  const job = attempted(ledger, accepted(ledger));
  ledger.onAttempt({ job, outcome: failedWith('timeout'), durationMs: 1, retryInMs: 5000 });
  t.like(openRows(ledger)[0], {
    code: 'timeout',
    reason: 'The destination did not answer in time.',
    retryAt: new Date(nowMs + 5000).toISOString(),
  });
  attempted(ledger, job);
  t.is(openRows(ledger)[0]?.retryAt, null);
});

test('a name that led to a refused address is told apart from one that leads nowhere', (t) => {
  const reasons = ['private', 'ENOTFOUND'].map((internal) => {
    const ledger = ledgerOf();
    const job = attempted(ledger, accepted(ledger));
    const error = { code: 'dns_failed', message: '', internal } as const;
    ledger.onAttempt({ job, outcome: { kind: 'failed', error }, durationMs: 1, retryInMs: undefined });
    ended(ledger, job, gaveUp('dns_failed'));
    return endedRows(ledger)[0]?.reason;
  });
  t.deepEqual(reasons, [
    'The name of the destination leads to an address that exports may not reach.',
    'The name of the destination could not be found.',
  ]);
});

test('a refusal is kept with its reason; those alike in a row are counted in one entry', (t) => {
  const ledger = ledgerOf();
  for (let count = 0; count < 3; count += 1) ledger.onRefusal(refusal());
  const caveat = 'destination = https://a.example/?token=s3cret';
  ledger.onRefusal(refusal({ failure: { code: 'caveat_not_satisfied', caveat, detail: caveat } }));
  const rows = endedRows(ledger);
  t.deepEqual(
    rows.map(({ times, reason }) => [times, reason]),
    [
      [1, "The app's permission does not cover this destination."],
      [3, 'The destination is inside the private network.'],
    ],
  );
  t.false(JSON.stringify(rows).includes('s3cret'));
  t.is(ledger.figures().outcomes.refused, 4);
  t.is(ledger.last24Hours().refused, 4);
  t.like(ledger.apps().top[0], { name: 'app', exports: 0, refused: 4 });
});

test('no flood of refusals pushes exports out of the record', (t) => {
  const ledger = ledgerOf(100);
  ended(ledger, attempted(ledger, accepted(ledger)), ok());
  for (let count = 0; count < 5000; count += 1) {
    ledger.onRefusal(refusal({ destination: destination(`https://h${count % 7}.example/${count}`) }));
  }
  const rows = endedRows(ledger);
  t.is(rows.length, 11);
  t.is(rows.at(-1)?.outcome, 'delivered');
  t.is(ledger.figures().forgotten, 4990);
});

test('it holds no more than it may, and what goes leaves no trace in the totals', (t) => {
  const ledger = ledgerOf(100);
  for (let count = 0; count < 5000; count += 1) {
    const job = accepted(ledger, {
      owner: `app ${count}`,
      destination: destination(`https://h${count}.example/`),
    });
    ended(ledger, attempted(ledger, job), count % 2 === 0 ? ok() : gaveUp('timeout'));
  }
  t.like(ledger.figures(), { held: 100, forgotten: 4900, revision: 15_000 });
  t.like(ledger.figures().outcomes, { delivered: 50, failed: 50 });
  const { top, others } = ledger.apps();
  t.is(top.length + others, 100);
  t.is(endedRows(ledger).length, 100);
  t.is(endedRows(ledger)[0]?.app, 'app 4999');
});

test('texts filled to the brim take places of others, not memory', (t) => {
  const ledger = ledgerOf(100);
  const long = 'p'.repeat(5000);
  for (let count = 0; count < 300; count += 1) {
    const job = accepted(ledger, {
      owner: `${count} ${long}`,
      purpose: long.slice(0, 200),
      destination: destination(`https://a.example/${count}/${long}`),
    });
    ended(ledger, attempted(ledger, job), ok());
  }
  t.true(ledger.figures().held < 60);
  const [row] = endedRows(ledger);
  t.is(row?.path.length, 200);
  t.is(row?.app.length, 200);
  t.true(row?.path.endsWith('…'));
});

test('the time line has each end in its minute, and forgets after a day', (t) => {
  const ledger = ledgerOf();
  const minuteMs = 60_000;
  for (const [minutesAgo, result] of [
    [0, ok()],
    [0, ok(500)],
    [59, ok()],
    [61, gaveUp('timeout')],
    [1439, ok()],
    [1441, ok()],
  ] as const) {
    ended(
      ledger,
      attempted(ledger, accepted(ledger, { dataBytes: 10 })),
      result,
      nowMs - minutesAgo * minuteMs,
    );
  }
  const hour = ledger.timeline('1h');
  t.is(hour.spans.length, 60);
  t.deepEqual(hour.spans.at(-1), { delivered: 1, undelivered: 1, refused: 0, bytes: 20 });
  t.deepEqual(hour.spans[0], { delivered: 1, undelivered: 0, refused: 0, bytes: 10 });
  t.is(hour.from, new Date(nowMs - 59 * minuteMs).toISOString());
  t.deepEqual(ledger.last24Hours(), { delivered: 3, undelivered: 2, refused: 0, bytes: 50 });
  const day = ledger.timeline('24h');
  t.is(day.spans.length, 96);
  t.is(
    day.spans.reduce((sum, { delivered }) => sum + delivered, 0),
    2,
  );
});

test('lanes show who has most to do, and vanish with their last export', (t) => {
  const ledger = ledgerOf();
  const jobs = [1, 2, 3].map(() => accepted(ledger, { owner: 'busy' }));
  const other = accepted(ledger, { owner: 'idle' });
  const [first] = jobs;
  if (first === undefined) return t.fail();
  attempted(ledger, first);
  t.deepEqual(
    ledger.fullestLanes().map(({ app, pending, processing }) => [app, pending, processing]),
    [
      ['busy', 2, 1],
      ['idle', 1, 0],
    ],
  );
  ended(ledger, other, gaveUp('cancelled'));
  t.is(ledger.fullestLanes().length, 1);
});
