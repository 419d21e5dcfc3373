import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'ava';
import fc from 'fast-check';
import { type AttemptEnd, nextStep, retryAfterMs } from '#relay/delivery/retry.js';
import { answered, failedWith } from '../helpers/jobs.js';

const limits = { attempts: 4, jobTimeoutMs: 600_000 };

function end(overrides: Partial<AttemptEnd>): AttemptEnd {
  return { outcome: failedWith('timeout'), attempts: 1, elapsedMs: 0, nowMs: 0, random: 1, ...overrides };
}

for (const status of [408, 425, 429, 502, 503, 504]) {
  test(`${status} says "not now" and is tried again`, (t) => {
    t.is(nextStep(end({ outcome: answered(status) }), limits).kind, 'retry');
  });
}

for (const status of [200, 204, 301, 400, 401, 404, 410, 422, 500, 501, 505]) {
  test(`${status} is an answer and ends the job`, (t) => {
    t.is(nextStep(end({ outcome: answered(status) }), limits).kind, 'finish');
  });
}

test('a certificate that is refused, and what is not HTTP, would only repeat themselves', (t) => {
  for (const code of ['tls_failed', 'bad_response'] as const) {
    t.is(nextStep(end({ outcome: failedWith(code) }), limits).kind, 'finish', code);
  }
});

test('the last attempt is the last', (t) => {
  t.is(nextStep(end({ attempts: 3 }), limits).kind, 'retry');
  t.is(nextStep(end({ attempts: 4 }), limits).kind, 'finish');
});

test('the delay doubles from half a second to thirty', (t) => {
  const delays = [1, 2, 3, 4, 7, 8, 50].map((attempts) =>
    nextStep(end({ attempts }), { ...limits, attempts: 100 }),
  );
  t.deepEqual(
    delays,
    [500, 1000, 2000, 4000, 30_000, 30_000, 30_000].map((delayMs) => ({ kind: 'retry', delayMs })),
  );
});

test('jitter is full, and never reaches past the job timeout', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 99 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.integer({ min: 0, max: 700_000 }),
        (attempts, random, elapsedMs) => {
          const step = nextStep(end({ attempts, random, elapsedMs }), { ...limits, attempts: 100 });
          if (step.kind === 'finish') assert.ok(elapsedMs + 30_000 >= limits.jobTimeoutMs);
          else {
            assert.ok(step.delayMs >= 0 && step.delayMs <= Math.min(30_000, 500 * 2 ** (attempts - 1)));
            assert.ok(elapsedMs + step.delayMs < limits.jobTimeoutMs);
          }
        },
      ),
    ),
  );
});

test('by jitter the next attempt may begin at once', (t) => {
  t.deepEqual(nextStep(end({ random: 0 }), limits), { kind: 'retry', delayMs: 0 });
});

test('Retry-After is waited for, and not undercut by jitter', (t) => {
  const outcome = answered(503, { headers: { 'retry-after': '7' } });
  t.deepEqual(nextStep(end({ outcome, random: 0 }), limits), { kind: 'retry', delayMs: 7000 });
});

test('a Retry-After past the job timeout ends the job with the answer it has', (t) => {
  const outcome = answered(503, { headers: { 'retry-after': '601' } });
  t.deepEqual(nextStep(end({ outcome }), limits), { kind: 'finish' });
});

const nowMs = Date.UTC(1994, 10, 6, 8, 49, 30);
for (const [value, expected, why] of [
  ['0', 0, 'at once'],
  ['120', 120_000, 'seconds'],
  ['Sun, 06 Nov 1994 08:49:37 GMT', 7000, 'an IMF-fixdate'],
  ['Sunday, 06-Nov-94 08:49:37 GMT', 7000, 'the obsolete RFC 850 form'],
  ['Sun Nov  6 08:49:37 1994', 7000, 'the asctime form, which means UTC'],
  ['Sun, 06 Nov 1994 08:49:00 GMT', 0, 'a date that has passed'],
  ['-5', undefined, 'not a number of seconds, and no year either'],
  ['1.5', undefined, 'only whole seconds'],
  ['soon', undefined, 'neither form'],
  ['', undefined, 'nothing'],
] as const) {
  test(`Retry-After "${value}" is read as ${String(expected)} ms: ${why}`, (t) => {
    t.is(retryAfterMs(value, nowMs), expected);
  });
}

test('a date means UTC in any of its forms, wherever the relay stands', (t) => {
  const dates = [
    'Tue, 01 Jan 2030 00:00:10 GMT',
    'Tuesday, 01-Jan-30 00:00:10 GMT',
    'Tuesday, 01-Jan-2030 00:00:10',
    'Tue Jan  1 00:00:10 2030',
    '1 Jan 2030 00:00:10 GMT',
  ];
  const program = `
    import { retryAfterMs } from './dist/delivery/retry.js';
    console.log(JSON.stringify(${JSON.stringify(dates)}.map((date) => retryAfterMs(date, ${Date.UTC(2030, 0, 1)}) ?? 'none')));
  `;
  // Only a process of its own can stand elsewhere.
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    env: { ...process.env, TZ: 'America/New_York' },
  });
  t.deepEqual(JSON.parse(stdout), [10_000, 10_000, 10_000, 10_000, 'none']);
});
