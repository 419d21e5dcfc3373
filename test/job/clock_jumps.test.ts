import test from 'ava';
import type { FakeClock } from '../helpers/fake_clock.js';
import { settled } from '../helpers/fake_clock.js';
import { accept, answered, createRegistry, stateOf } from '../helpers/jobs.js';

const hour = 3_600_000;
const limits = { attempts: 4, attemptTimeoutMs: 30_000, jobTimeoutMs: 600_000 };

/** How the wall clock misbehaves: once, or again and again each second. */
const jumps: readonly (readonly [name: string, jump: (clock: FakeClock, second: number) => void])[] = [
  ['set an hour forward', (clock, second) => second === 0 && clock.jumpWallClock(hour)],
  ['set an hour back', (clock, second) => second === 0 && clock.jumpWallClock(-hour)],
  ['set ten years forward', (clock, second) => second === 0 && clock.jumpWallClock(87_600 * hour)],
  ['running backwards', (clock) => clock.jumpWallClock(-2000)],
];

for (const [name, jump] of jumps) {
  const pass = async (clock: FakeClock, seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      jump(clock, second);
      await clock.advance(1000);
    }
  };

  test(`with a wall clock ${name}, a long poll waits as long as it was asked to`, async (t) => {
    const { registry, clock } = createRegistry();
    const job = await accept(registry);
    await settled();
    let ended = false;
    void registry.watch(job.id, { until: 'Finished', waitMs: 20_500 }).then(() => (ended = true));
    await pass(clock, 20);
    await clock.advance(499);
    t.false(ended);
    await clock.advance(1);
    t.true(ended);
  });

  test(`with a wall clock ${name}, the next attempt comes when it is due`, async (t) => {
    const { registry, held, clock } = createRegistry({ limits });
    await accept(registry);
    await settled();
    held.land(answered(503, { headers: { 'retry-after': '20' } }));
    await settled();
    await pass(clock, 19);
    await clock.advance(999);
    t.is(held.begun.length, 1);
    await clock.advance(1);
    t.is(held.begun.length, 2);
  });

  test(`with a wall clock ${name}, a result is kept for its time and a job waits for its turn as long as it may`, async (t) => {
    const { registry, held, clock } = createRegistry({ resultTtlMs: 60_000, queueTimeoutMs: 50_000 });
    const kept = await accept(registry);
    await settled();
    held.land(answered());
    await settled();
    await accept(registry);
    const waiting = await accept(registry);
    await pass(clock, 48);
    t.is(await stateOf(registry, waiting.id), 'Pending');
    await pass(clock, 3);
    t.is(await stateOf(registry, waiting.id), 'Finished');
    await pass(clock, 8);
    t.is(await stateOf(registry, kept.id), 'Finished');
    await pass(clock, 2);
    t.is(await stateOf(registry, kept.id), undefined);
  });

  test(`with a wall clock ${name}, nothing runs hot and ids stay unique`, async (t) => {
    const { registry, held, clock } = createRegistry({ limits, laneConcurrency: 100 });
    const ids = new Set<string>();
    for (let number = 0; number < 50; number += 1) ids.add((await accept(registry)).id);
    await settled();
    while (held.flights.length > 0) held.land(answered(503, { headers: { 'retry-after': '30' } }));
    await settled();
    const before = clock.delaysMs.length;
    await pass(clock, 20);
    for (let number = 0; number < 50; number += 1) ids.add((await accept(registry)).id);
    t.is(ids.size, 100);
    t.is(clock.delaysMs.length - before, 20, 'one sweep a second and nothing else');
  });
}
