import test from 'ava';
import {
  ExportAbortedError,
  ExportTimeoutError,
  type Job,
  RelayConnectionError,
  RelayProblemError,
  type RetryReport,
} from '#relay/client/index.js';
import { retryAfterMs } from '#relay/client/retry.js';
import { ScriptedFetch, jobAnswer, problemAnswer } from '../helpers/client.js';

const pending = jobAnswer('Pending', 1);
const finished = jobAnswer('Finished', 3);

for (const [status, code] of [
  [429, 'lane_full'],
  [503, 'queue_full'],
  [503, 'no_secret'],
] as const) {
  test(`${status} ${code} is asked again after Retry-After, with the same key`, async (t) => {
    const relay = new ScriptedFetch([problemAnswer(status, code, { 'retry-after': '7' }), pending, finished]);
    const result = await relay.run(relay.client.export('https://a.example/', {}));
    t.is(result.status, 'fulfilled');
    t.is(relay.calls[1]?.atMs, 7000);
    const [first, second, poll] = relay.calls.map(({ headers }) => headers['Idempotency-Key']);
    t.regex(first ?? '', /^[0-9a-f]{32}$/);
    t.is(second, first);
    t.is(poll, undefined);
  });
}

test('two calls have two keys', async (t) => {
  const relay = new ScriptedFetch([pending]);
  await relay.run(relay.client.submit('https://a.example/', {}));
  await relay.run(relay.client.submit('https://a.example/', {}));
  t.not(relay.calls[0]?.headers['Idempotency-Key'], relay.calls[1]?.headers['Idempotency-Key']);
});

test('all who are told the same Retry-After come back at different times, and none too early', async (t) => {
  const busy = problemAnswer(503, 'queue_full', { 'retry-after': '8' });
  const relay = new ScriptedFetch([busy, pending], { random: () => 0.5 });
  await relay.run(relay.client.submit('https://a.example/', {}));
  t.is(relay.calls[1]?.atMs, 8500);
});

for (const [what, answers, calls] of [
  ['a Retry-After', [problemAnswer(429, 'lane_full', { 'retry-after': '7' })], 1],
  ['a back-off', ['refused'], 1],
  ['a back-off between polls', [pending, 'refused'], 2],
] as const) {
  test(`an abort during ${what} ends the call at once, and nothing is asked afterwards`, async (t) => {
    const controller = new AbortController();
    const relay = new ScriptedFetch(answers, { onRetry: () => queueMicrotask(() => controller.abort()) });
    const result = await relay.run(relay.client.export('https://a.example/', {}, controller));
    t.true(result.status === 'rejected' && result.reason instanceof ExportAbortedError);
    t.is(relay.calls.length, calls);
    t.is(relay.clock.armed, 0);
    t.is(relay.clock.monotonicMs(), 0);
  });
}

test('a busy relay without Retry-After is asked less and less often', async (t) => {
  const busy = problemAnswer(503, 'queue_full');
  const relay = new ScriptedFetch([busy, busy, busy, busy, busy, busy, busy, pending]);
  await relay.run(relay.client.submit('https://a.example/', {}));
  t.deepEqual(
    relay.calls.map(({ atMs }) => atMs),
    [0, 125, 375, 875, 1875, 3875, 6375, 8875],
  );
});

test('a Retry-After beyond the end of the call is not waited for: the problem is the answer', async (t) => {
  const relay = new ScriptedFetch([problemAnswer(429, 'lane_full', { 'retry-after': '120' })], {
    timeoutMs: 60_000,
  });
  const result = await relay.run(relay.client.submit('https://a.example/', {}));
  t.true(result.status === 'rejected' && result.reason instanceof RelayProblemError);
  t.is(
    result.status === 'rejected' && result.reason instanceof RelayProblemError && result.reason.retryAfterMs,
    120_000,
  );
  t.is(relay.calls.length, 1);
  t.is(relay.clock.armed, 0);
});

test('a relay that is busy for ever is asked for a bounded time', async (t) => {
  const relay = new ScriptedFetch([problemAnswer(503, 'queue_full', { 'retry-after': '1' })], {
    timeoutMs: 60_000,
  });
  const result = await relay.run(relay.client.submit('https://a.example/', {}));
  t.true(result.status === 'rejected' && result.reason instanceof RelayProblemError);
  t.is(relay.calls.length, 60);
  t.is(relay.clock.armed, 0);
});

for (const [what, answer] of [
  ['connections that are refused', 'refused'],
  ['silence', 'silence'],
  ['answers that are not whole', { status: 200, body: '{"id":"5c0e', headers: {} }],
  ["a proxy's 502", { status: 502, body: '<h1>Bad Gateway</h1>', headers: {} }],
  ["a proxy's 504", { status: 504, body: '', headers: {} }],
] as const) {
  test(`${what} are borne for a while, with one key, and then reported`, async (t) => {
    const reports: RetryReport[] = [];
    const relay = new ScriptedFetch([answer], {
      maxOutageMs: 20_000,
      requestTimeoutMs: 3000,
      onRetry: (report) => reports.push(report),
    });
    const result = await relay.run(relay.client.submit('https://a.example/', {}));
    t.is(result.status, 'rejected');
    const error: unknown = result.status === 'rejected' ? result.reason : undefined;
    t.true(error instanceof RelayConnectionError || error instanceof RelayProblemError);
    t.true(relay.calls.length > 4);
    t.is(reports.length, relay.calls.length - 1);
    t.is(new Set(relay.calls.map(({ headers }) => headers['Idempotency-Key'])).size, 1);
    t.true(relay.clock.monotonicMs() >= 20_000 && relay.clock.monotonicMs() < 30_000);
    t.is(relay.clock.armed, 0);
  });

  test(`${what} that pass leave no trace`, async (t) => {
    const relay = new ScriptedFetch([answer, answer, pending, answer, answer, finished], {
      requestTimeoutMs: 3000,
    });
    const result = await relay.run(relay.client.export('https://a.example/', {}));
    t.is(result.status === 'fulfilled' && result.value.text(), 'ok');
    t.is(relay.clock.armed, 0);
  });
}

test('the reason why the relay cannot be reached is told', async (t) => {
  const relay = new ScriptedFetch(['refused'], { maxOutageMs: 1 });
  const result = await relay.run(relay.client.submit('https://a.example/', {}));
  const error: unknown = result.status === 'rejected' ? result.reason : undefined;
  t.true(error instanceof RelayConnectionError);
  t.is(
    error instanceof Error && error.message,
    'no answer from the relay at http://relay.test: connect ECONNREFUSED',
  );
  t.true(error instanceof Error && error.cause instanceof TypeError);
});

test('when the time is over while it is tried again, what went wrong before is told', async (t) => {
  const relay = new ScriptedFetch(['refused', 'silence'], { timeoutMs: 2000 });
  const result = await relay.run(relay.client.submit('https://a.example/', {}));
  t.true(result.status === 'rejected' && result.reason instanceof RelayConnectionError);
  t.is(relay.calls.length, 2);
  t.is(relay.clock.monotonicMs(), 2000);
  t.is(relay.clock.armed, 0);
});

for (const status of [400, 401, 403, 404, 413, 415, 422, 500]) {
  test(`${status} is final`, async (t) => {
    const relay = new ScriptedFetch([problemAnswer(status, 'some_code', { 'retry-after': '1' })]);
    const result = await relay.run(relay.client.submit('https://a.example/', {}));
    t.true(result.status === 'rejected' && result.reason instanceof RelayProblemError);
    t.is(relay.calls.length, 1);
  });
}

test('a call is over when its time is, and says which job goes on', async (t) => {
  const processing = jobAnswer('Processing', 2);
  const relay = new ScriptedFetch([pending, processing, 'silence'], { timeoutMs: 40_000 });
  const result = await relay.run(relay.client.export('https://a.example/', {}));
  const error: unknown = result.status === 'rejected' ? result.reason : undefined;
  t.true(error instanceof ExportTimeoutError);
  t.is(error instanceof ExportTimeoutError ? error.job?.state : '', 'Processing');
  t.is(relay.clock.monotonicMs(), 40_000);
  t.is(relay.clock.armed, 0);
});

test('a job that the relay has forgotten is not submitted again', async (t) => {
  const relay = new ScriptedFetch([pending, 'refused', problemAnswer(404, 'unknown_job')]);
  const result = await relay.run(relay.client.export('https://a.example/', {}));
  const error: unknown = result.status === 'rejected' ? result.reason : undefined;
  t.true(error instanceof RelayProblemError && error.code === 'unknown_job');
  t.is(error instanceof RelayProblemError ? error.job?.id : '', String(relay.calls[1]?.body['id']));
  t.is(relay.calls.filter(({ body }) => body['id'] === '').length, 1);
});

test('a long poll names the version that is known, and asks again from there', async (t) => {
  const relay = new ScriptedFetch([pending, jobAnswer('Processing', 2), 'refused', finished]);
  const states: Job['state'][] = [];
  await relay.run(
    relay.client.export('https://a.example/', {}, { onState: ({ state }) => states.push(state) }),
  );
  t.deepEqual(states, ['Pending', 'Processing', 'Finished']);
  t.deepEqual(
    relay.calls.map(({ headers }) => headers['If-None-Match']),
    [undefined, '"1"', '"2"', '"2"'],
  );
  t.true(relay.calls.slice(1).every(({ url }) => url === 'http://relay.test/lp/export?timeout=25'));
});

test('a relay that holds no poll is not asked without pause', async (t) => {
  const relay = new ScriptedFetch([pending], { timeoutMs: 60_000 });
  const result = await relay.run(relay.client.export('https://a.example/', {}));
  t.true(result.status === 'rejected' && result.reason instanceof ExportTimeoutError);
  t.true(relay.calls.length < 40, String(relay.calls.length));
});

test('an older relay, which knows no versions and gives the status as text alone, is understood', async (t) => {
  const old = (state: 'Pending' | 'Processing' | 'Finished') => ({
    status: 200,
    body: {
      id: '5c0e1a52-7d35-4c5a-9d0f-2a4c7b8d9e10',
      state,
      ext_response: state === 'Finished' ? { status: '201 Created', body: 'b' } : {},
    },
  });
  const relay = new ScriptedFetch([old('Pending'), old('Pending'), old('Processing'), old('Finished')]);
  const states: Job['state'][] = [];
  const result = await relay.run(
    relay.client.export('https://a.example/', {}, { onState: ({ state }) => states.push(state) }),
  );
  t.deepEqual(states, ['Pending', 'Processing', 'Finished']);
  if (result.status === 'rejected') return t.fail(String(result.reason));
  t.is(result.value.status, 201);
  t.true(result.value.ok);
  t.is(result.value.text(), 'b');
  t.true(relay.calls.every(({ headers }) => !('If-None-Match' in headers)));
});

for (const [header, ms] of [
  ['0', 100],
  ['5', 5000],
  [' 5 ', 5000],
  ['Tue, 01 Jan 2030 00:00:09 GMT', 9000],
  ['Tue, 01 Jan 2019 00:00:09 GMT', 100],
  ['-5', undefined],
  ['soon', undefined],
  ['', undefined],
  [null, undefined],
] as const) {
  test(`Retry-After ${JSON.stringify(header)} means ${String(ms)} ms`, (t) => {
    t.is(retryAfterMs(header, Date.UTC(2030, 0, 1)), ms);
  });
}
