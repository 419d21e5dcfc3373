import test from 'ava';
import { type AttemptResult, type Left, leftIn } from '#relay/job/attempt_record.js';
import { settled } from '../helpers/fake_clock.js';
import { accept, answered, createRegistry, failedWith } from '../helpers/jobs.js';

const limits = { attempts: 3, attemptTimeoutMs: 30_000, jobTimeoutMs: 600_000 };

test('each attempt has its record: when it began and ended, how, and when the next follows', async (t) => {
  const { registry, held, clock } = createRegistry({ limits });
  const { id, createdAtMs } = await accept(registry);
  await settled();
  t.deepEqual((await registry.get(id))?.attemptRecords, [
    { begunAtMs: createdAtMs, endedAtMs: undefined, result: undefined, retryInMs: undefined },
  ]);
  await clock.advance(10);
  held.land(answered(503));
  await clock.advance(500);
  held.land(failedWith('timeout'));
  await clock.advance(1000);
  held.land(answered(200));
  await settled();
  const at = (ms: number): number => createdAtMs + ms;
  t.deepEqual((await registry.get(id))?.attemptRecords, [
    { begunAtMs: at(0), endedAtMs: at(10), result: 503, retryInMs: 500 },
    { begunAtMs: at(510), endedAtMs: at(510), result: 'timeout', retryInMs: 1000 },
    { begunAtMs: at(1510), endedAtMs: at(1510), result: 200, retryInMs: undefined },
  ]);
});

test('the end of an attempt that another will follow wakes nobody and is no version of its own', async (t) => {
  const { registry, held } = createRegistry({ limits });
  const { id } = await accept(registry);
  await settled();
  const { version = 0 } = (await registry.get(id)) ?? {};
  let woken = false;
  void registry.watch(id, { until: 'change', waitMs: 60_000, knownVersion: version }).then(() => {
    woken = true;
  });
  held.land(answered(503));
  await settled();
  t.false(woken);
  t.is((await registry.get(id))?.version, version);
  registry.close();
});

test('an attempt in flight that is cancelled ends with the job; one that has ended stays as it ended', async (t) => {
  const { registry, held, clock } = createRegistry({ limits });
  const flying = await accept(registry);
  const waiting = await accept(registry, { owner: 'another' });
  await settled();
  held.flights[1]?.land(answered(503));
  await clock.advance(20);
  for (const { id } of [flying, waiting]) await registry.cancel(id);
  t.like((await registry.get(flying.id))?.attemptRecords, [{ result: 'cancelled', retryInMs: undefined }]);
  t.like((await registry.get(waiting.id))?.attemptRecords, [{ result: 503, retryInMs: 500 }]);
});

test('a job that has not begun shares its empty list of attempts with all others', async (t) => {
  const { registry } = createRegistry({ laneConcurrency: 1 });
  const [one, two] = [await accept(registry), await accept(registry)];
  t.is(one.attemptRecords, two.attemptRecords);
  t.is(one.headers, two.headers);
});

const ends: readonly (readonly [results: readonly (AttemptResult | undefined)[], left: Left])[] = [
  [[], 'no'],
  [[200], 'yes'],
  [[503, 'connect_failed'], 'yes'],
  [['timeout', 503], 'yes'],
  [['connect_failed', 'dns_failed', 'destination_refused'], 'no'],
  [['connect_failed', undefined], 'maybe'],
  [['timeout', 'connect_failed'], 'maybe'],
  [['tls_failed'], 'maybe'],
  [['interrupted'], 'maybe'],
  [['bad_response'], 'maybe'],
];
for (const [results, left] of ends) {
  test(`after ${results.map((result) => result ?? 'one in flight').join(', ') || 'no attempt'} data left: ${left}`, (t) => {
    const records = results.map((result) => ({
      begunAtMs: 0,
      endedAtMs: result === undefined ? undefined : 1,
      result,
      retryInMs: undefined,
    }));
    t.is(leftIn(records), left);
  });
}
