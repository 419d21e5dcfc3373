import test from 'ava';
import { settled } from '../helpers/fake_clock.js';
import { accept, answered, createRegistry, failedWith, newJob, stateOf, uriBytes } from '../helpers/jobs.js';

const minute = 60_000;

test('a wall clock that jumps ends nothing early', async (t) => {
  const { registry, held, clock } = createRegistry({ resultTtlMs: 10 * minute });
  const job = await accept(registry);
  const waiting = await accept(registry);
  await settled();
  held.land(answered());
  await settled();
  clock.jumpWallClock(10 * 365 * 24 * 3600_000);
  await clock.advance(minute);
  t.is(await stateOf(registry, job.id), 'Finished');
  t.is(await stateOf(registry, waiting.id), 'Processing');
});

test('a place in a lane is free again after a finish and after a cancel', async (t) => {
  const { registry, held } = createRegistry({ maxQueuedPerLane: 1 });
  for (let round = 0; round < 3; round += 1) {
    await accept(registry);
    await settled();
    held.land(answered());
    await settled();
    const cancelled = await accept(registry);
    await registry.cancel(cancelled.id);
    await settled();
    held.flights.splice(0).forEach(({ land }) => land(answered()));
    await settled();
  }
  t.is(registry.stats().lanes, 0);
});

test('when memory is full, results that were read go first, then answers lose their body, then jobs are refused', async (t) => {
  const { registry, held } = createRegistry({ maxMemoryBytes: 100 + 3 * uriBytes, laneConcurrency: 10 });
  const body = 'x'.repeat(40);
  const read = await accept(registry);
  const unread = await accept(registry);
  await settled();
  held.land(answered(200, { body }));
  held.land(answered(200, { body }));
  await settled();
  registry.markRead(read.id);
  const third = await accept(registry, { dataBytes: 30 });
  t.is(await stateOf(registry, read.id), undefined, 'the read result made way');
  t.is(await stateOf(registry, unread.id), 'Finished');
  t.like(await registry.submit(newJob({ dataBytes: 60 })), { ok: false, failure: { code: 'queue_full' } });
  await accept(registry, { dataBytes: 30 });
  await settled();
  held.land(answered(200, { body: 'y'.repeat(50) }));
  await settled();
  t.like((await registry.get(third.id))?.result, { kind: 'answered', answer: { body: '', truncated: true } });
  t.true(registry.stats().bytes <= 100 + 3 * uriBytes);
});

test('beyond the number that is kept, read results go first and the oldest next', async (t) => {
  const { registry, held } = createRegistry({ maxKept: 2, laneConcurrency: 10 });
  const jobs = [];
  for (let number = 0; number < 4; number += 1) {
    jobs.push(await accept(registry));
    await settled();
    held.land(answered());
    await settled();
    const second = jobs[1];
    if (number === 1 && second !== undefined) registry.markRead(second.id);
  }
  const states = await Promise.all(jobs.map(({ id }) => stateOf(registry, id)));
  t.deepEqual(states, [undefined, undefined, 'Finished', 'Finished']);
});

test('draining waits for attempts in flight, begins no other, and gives up after its grace', async (t) => {
  const { registry, held, clock } = createRegistry();
  const job = await accept(registry);
  await accept(registry);
  await settled();
  registry.close();
  let drained = false;
  void registry.drain(10_000).then(() => {
    drained = true;
  });
  await settled();
  t.false(drained);
  held.land(answered());
  await settled();
  t.true(drained);
  t.is(await stateOf(registry, job.id), 'Finished');
  t.is(held.begun.length, 1);

  const hung = createRegistry();
  await accept(hung.registry);
  await settled();
  let ended = false;
  void hung.registry.drain(10_000).then(() => {
    ended = true;
  });
  await hung.clock.advance(9999);
  t.false(ended);
  await hung.clock.advance(1);
  t.true(ended);
  t.true(hung.held.flights[0]?.delivery.cancellation.isCancelled);
  t.is(clock.armed, 0, 'a drained registry leaves no timer');
});

test('a macaroon that has expired meanwhile lets no further attempt begin', async (t) => {
  const limits = { attempts: 3, attemptTimeoutMs: 30_000, jobTimeoutMs: 10 * minute };
  for (const [outcome, result] of [
    [failedWith('connect_failed'), { kind: 'gave_up', error: { code: 'expired' } }],
    // It answered, so its answer is what the job ends with.
    [answered(503), { kind: 'answered', answer: { statusCode: 503 } }],
  ] as const) {
    const { registry, clock, held } = createRegistry({ limits });
    const job = await accept(registry, { expiresAtMs: clock.nowMs() + 400 });
    await settled();
    held.land(outcome);
    await clock.advance(500);
    t.is(held.begun.length, 1);
    t.like(await registry.get(job.id), { state: 'Finished', attempts: 1, result });
  }
});

test('what is unknown is unknown to every question', async (t) => {
  const { registry, held } = createRegistry();
  const job = await accept(registry);
  await settled();
  held.land(answered());
  await settled();
  const other = await accept(registry);
  const id = other.id;
  const fresh = createRegistry().registry;
  t.is(await fresh.get(id), undefined);
  t.like(await fresh.cancel(id), { failure: { code: 'unknown_job' } });
  t.like(await fresh.watch(job.id, { until: 'change', waitMs: 1000 }), { failure: { code: 'unknown_job' } });
});

test('an attempt never gets more time than is left of the job', async (t) => {
  const limits = { attempts: 3, attemptTimeoutMs: 30_000, jobTimeoutMs: minute };
  const { registry, held, clock } = createRegistry({ limits });
  await accept(registry);
  await settled();
  t.is(held.flights[0]?.delivery.timeoutMs, 30_000);
  await clock.advance(50_000);
  held.land(answered(503));
  await clock.advance(500);
  t.is(held.flights[0]?.delivery.timeoutMs, 9500);
});
