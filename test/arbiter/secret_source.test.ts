import test from 'ava';
import fc from 'fast-check';
import type { FetchOutcome, SecretFetch } from '#relay/arbiter/outcome.js';
import {
  backOffMs,
  startSecretSource,
  type SecretSource,
  type Waiting,
} from '#relay/arbiter/secret_source.js';
import { FakeClock, settled } from '../helpers/fake_clock.js';

const unreachable: FetchOutcome = { reason: 'unreachable', detail: 'no connection' };
const notRegistered: FetchOutcome = { reason: 'not_registered', detail: '129' };
const lost: FetchOutcome = { reason: 'no_answer', detail: 'nothing came', mayRotateLater: true };
const lostHttp: FetchOutcome = { reason: 'no_answer', detail: 'nothing came', mayRotateLater: false };
const secret = (text: string): FetchOutcome => ({ reason: 'secret', secret: text });

interface Run {
  readonly clock: FakeClock;
  readonly source: SecretSource;
  readonly secrets: string[];
  readonly waiting: Waiting[];
  readonly fetches: () => number;
}

/** A source whose tries end like this, one after another; the last one repeats. */
function run(outcomes: readonly FetchOutcome[], random = (): number => 0.5): Run {
  const clock = new FakeClock();
  const secrets: string[] = [];
  const waiting: Waiting[] = [];
  let fetches = 0;
  const fetch: SecretFetch = () => {
    fetches += 1;
    return Promise.resolve(outcomes[Math.min(fetches, outcomes.length) - 1] ?? unreachable);
  };
  const source = startSecretSource({
    fetch,
    onSecret: (text) => secrets.push(text),
    onWaiting: (line) => waiting.push(line),
    clock,
    random,
  });
  return { clock, source, secrets, waiting, fetches: () => fetches };
}

test('a secret at the first try is handed over, and nothing is ever asked again', async (t) => {
  const { clock, secrets, waiting, fetches } = run([secret('s1'), secret('s2')]);
  await settled();
  t.deepEqual(secrets, ['s1']);
  t.deepEqual(waiting, []);
  t.is(clock.armed, 0);
  t.is(fetches(), 1);
});

test('every kind of failure is tried again until a secret comes, which ends it', async (t) => {
  const failures: readonly FetchOutcome[] = [
    unreachable,
    notRegistered,
    { reason: 'refused', detail: '160' },
    { reason: 'garbage', detail: 'not Zest' },
    { reason: 'empty_secret', detail: 'an empty secret' },
    lostHttp,
  ];
  const { clock, secrets, fetches } = run([...failures, secret('s1'), secret('s2')]);
  await settled();
  for (const { reason } of failures) {
    t.deepEqual(secrets, [], reason);
    t.is(clock.armed, 1, reason);
    await clock.next();
  }
  t.deepEqual(secrets, ['s1']);
  t.false(await clock.next());
  t.is(fetches(), failures.length + 1);
});

test('the delay grows to ten seconds and stays there, half a second at least', async (t) => {
  const bounds = [
    [0, [500, 500, 500, 500, 500, 500, 500]],
    [0.5, [750, 1250, 2250, 4250, 5250, 5250, 5250]],
    [1 - Number.EPSILON, [1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]],
  ] as const;
  for (const [random, delaysMs] of bounds) {
    const { clock } = run([unreachable], () => random);
    await settled();
    while (clock.delaysMs.length < delaysMs.length) await clock.next();
    t.deepEqual(clock.delaysMs.map(Math.round), delaysMs);
  }
});

test('no number of failures and no random number leads out of the bounds', (t) => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  t.notThrows(() => {
    fc.assert(
      fc.property(fc.integer({ min: 1 }), random, (failedTries, number) => {
        const delayMs = backOffMs(failedTries, number);
        return delayMs >= 500 && delayMs <= 10_000;
      }),
    );
  });
  t.is(backOffMs(1, 0.5), 750);
  t.is(backOffMs(50, 0.5), 5250);
});

test('the first failure is reported at once, then one line a minute with the last answer', async (t) => {
  const { clock, waiting } = run([unreachable, notRegistered], () => 0.999_999);
  await settled();
  t.deepEqual(waiting, [{ reason: 'unreachable', detail: 'no connection', tries: 1 }]);
  const reportedAtMs = [clock.monotonicMs()];
  while (clock.monotonicMs() < 600_000) {
    const lines = waiting.length;
    await clock.next();
    if (waiting.length > lines) reportedAtMs.push(clock.monotonicMs());
  }
  t.deepEqual(waiting[1], { reason: 'not_registered', detail: '129', tries: waiting[1]?.tries ?? 0 });
  t.true(reportedAtMs.length >= 9 && reportedAtMs.length <= 11);
  const gaps = reportedAtMs.slice(1).map((atMs, index) => atMs - (reportedAtMs[index] ?? 0));
  t.true(gaps.every((gapMs) => gapMs >= 60_000 && gapMs <= 70_000));
});

test('a secret after an unanswered request is asked for once more, and the later one counts', async (t) => {
  const { clock, secrets, waiting, fetches } = run([lost, secret('s1'), secret('s2'), secret('s3')]);
  await settled();
  await clock.next();
  t.deepEqual(secrets, []);
  await clock.next();
  t.deepEqual(secrets, ['s2']);
  t.false(await clock.next());
  t.is(fetches(), 3);
  t.false(JSON.stringify(waiting).includes('s1'));
});

test('an unanswered request casts doubt until the arbiter answers something again', async (t) => {
  const cases = [
    {
      reason: 'nothing was asked in between',
      outcomes: [lost, unreachable, secret('a'), secret('b')],
      accepted: 'b',
    },
    {
      reason: 'the arbiter answered in between',
      outcomes: [lost, notRegistered, secret('a')],
      accepted: 'a',
    },
    {
      reason: 'lost again while making sure',
      outcomes: [lost, secret('a'), lost, secret('b'), secret('c')],
      accepted: 'c',
    },
    { reason: 'asking again changes nothing over HTTP', outcomes: [lostHttp, secret('a')], accepted: 'a' },
  ];
  for (const { reason, outcomes, accepted } of cases) {
    const { clock, secrets, fetches } = run(outcomes);
    await settled();
    while (await clock.next());
    t.deepEqual(secrets, [accepted], reason);
    t.is(fetches(), outcomes.length, reason);
  }
});

test('stopping while waiting leaves no timer and asks no more', async (t) => {
  const { clock, source, fetches } = run([unreachable]);
  await settled();
  t.is(clock.armed, 1);
  source.stop();
  source.stop();
  t.is(clock.armed, 0);
  t.is(fetches(), 1);
});

test('stopping during a try aborts it, and a secret that comes too late is dropped', async (t) => {
  const clock = new FakeClock();
  const signals: AbortSignal[] = [];
  const source = startSecretSource({
    fetch: (signal) => {
      signals.push(signal);
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve(secret('late'))));
    },
    onSecret: () => t.fail('the secret came after the stop'),
    onWaiting: () => t.fail('nothing is awaited after the stop'),
    clock,
  });
  t.false(signals[0]?.aborted ?? true);
  source.stop();
  await settled();
  t.true(signals[0]?.aborted ?? false);
  t.is(clock.armed, 0);
});

test('stopping from within the report leaves no timer', async (t) => {
  const clock = new FakeClock();
  const source: SecretSource = startSecretSource({
    fetch: () => Promise.resolve(unreachable),
    onSecret: () => t.fail('there is no secret'),
    onWaiting: () => source.stop(),
    clock,
  });
  await settled();
  t.is(clock.delaysMs.length, 1);
  t.is(clock.armed, 0);
});

test('a client that throws is a failed try, whose message goes nowhere', async (t) => {
  const clock = new FakeClock();
  const waiting: Waiting[] = [];
  const secrets: string[] = [];
  let tries = 0;
  startSecretSource({
    fetch: () => {
      tries += 1;
      if (tries === 1) throw new TypeError('token abc');
      return tries === 2 ? Promise.reject(new TypeError('token abc')) : Promise.resolve(secret('s'));
    },
    onSecret: (text) => secrets.push(text),
    onWaiting: (line) => waiting.push(line),
    clock,
  });
  await settled();
  while (await clock.next());
  t.deepEqual(secrets, ['s']);
  t.deepEqual(waiting, [{ reason: 'unreachable', detail: 'the try itself failed (TypeError)', tries: 1 }]);
});
