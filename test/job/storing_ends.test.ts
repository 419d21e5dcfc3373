import test from 'ava';
import { settled } from '../helpers/fake_clock.js';
import { accept, answered, stateOf } from '../helpers/jobs.js';
import { accepted, createStored, flying, unavailable } from '../helpers/stored_registry.js';

const minute = 60_000;

test('an end is shown once it is written', async (t) => {
  const under = createStored(t);
  const { registry, store, held, finished, clock } = under;
  const job = await flying(under);
  const poll = registry.watch(job.id, { until: 'Finished', waitMs: minute });
  store.mode = 'holds';
  held.land(answered(200));
  await clock.advance(5000);
  t.is(await stateOf(registry, job.id), 'Processing');
  t.is(finished.length, 0);
  t.like(registry.stats(), { processing: 1, finished: 0, waiters: 1 });
  store.mode = 'works';
  store.next().take();
  t.like(await poll, { value: { state: 'Finished', version: 3 } });
  t.is(finished.length, 1);
  t.like(registry.stats(), { processing: 0, finished: 1 });
});

test('an end that cannot be written is tried again each second, and shown once', async (t) => {
  const under = createStored(t);
  const { registry, store, held, finished, clock } = under;
  const job = await flying(under);
  store.mode = 'fails';
  held.land(answered(200));
  await clock.advance(5500);
  t.is(store.calls.filter((call) => call === 'Finished 3').length, 6);
  t.is(await stateOf(registry, job.id), 'Processing');
  store.mode = 'works';
  await clock.advance(500);
  t.is(await stateOf(registry, job.id), 'Finished');
  await clock.advance(20 * minute);
  t.is(finished.length, 1);
  t.is(store.calls.filter((call) => call === 'Finished 3').length, 7);
});

for (const mode of ['fails', 'holds'] as const) {
  test(`where the storage ${mode} for good, an end is shown after another job timeout`, async (t) => {
    const limits = { attempts: 1, attemptTimeoutMs: 30_000, jobTimeoutMs: minute };
    const under = createStored(t, { limits });
    const { registry, store, held, finished, clock } = under;
    const job = await flying(under);
    store.mode = mode;
    held.land(answered(200));
    await clock.advance(minute - 1);
    t.is(await stateOf(registry, job.id), 'Processing');
    await clock.advance(1);
    t.like(await registry.get(job.id), { state: 'Finished', version: 3 });
    t.is(finished.length, 1);
    store.mode = 'works';
    for (const { take } of store.held.splice(0)) take();
    await clock.advance(1000);
    t.is(store.jobs.get(job.id)?.state, 'Finished', 'it is written as soon as that is possible');
    t.is(finished.length, 1);
  });
}

test('an end that was never written is given up with its job', async (t) => {
  const limits = { attempts: 1, attemptTimeoutMs: 30_000, jobTimeoutMs: 10_000 };
  const under = createStored(t, { limits, resultTtlMs: 10_000 });
  const { registry, store, held, clock } = under;
  const job = await flying(under);
  store.mode = 'fails';
  held.land(answered(200));
  await clock.advance(30_000);
  t.is(await registry.get(job.id), undefined);
  const { length } = store.calls.filter((call) => call.startsWith('Finished'));
  await clock.advance(30_000);
  t.is(store.calls.filter((call) => call.startsWith('Finished')).length, length);
  store.mode = 'works';
  await clock.advance(1000);
  t.is(store.jobs.size, 0);
});

test('cancelling while the end is being written gives that end', async (t) => {
  const under = createStored(t);
  const { registry, store, held } = under;
  const job = await flying(under);
  store.mode = 'holds';
  held.land(answered(201));
  await settled();
  const cancelled = registry.cancel(job.id);
  await settled();
  t.is(store.held.length, 1);
  store.next().take();
  t.like(await cancelled, { value: { state: 'Finished', result: { answer: { statusCode: 201 } } } });
});

test('a cancel that cannot be written says so, keeps the job from leaving, and succeeds later', async (t) => {
  const under = createStored(t);
  const { registry, store, held, clock } = under;
  await flying(under);
  const waiting = await accept(registry);
  store.mode = 'fails';
  t.like(await registry.cancel(waiting.id), unavailable);
  t.like(await registry.cancel(waiting.id), unavailable);
  t.is(await stateOf(registry, waiting.id), 'Pending');
  store.mode = 'works';
  await clock.advance(1000);
  t.like(await registry.cancel(waiting.id), { value: { result: { error: { code: 'cancelled' } } } });
  held.land(answered());
  await settled();
  t.is(held.begun.length, 1);
});

test('a forgotten job is removed from the store, after a failure with a later sweep', async (t) => {
  const under = createStored(t, { resultTtlMs: 10_000 });
  const { registry, store, held, clock } = under;
  const ids = [(await flying(under)).id];
  held.land(answered());
  await settled();
  ids.push((await flying(under)).id);
  held.land(answered());
  await clock.advance(9000);
  t.deepEqual([...store.jobs.keys()], ids);
  store.mode = 'fails';
  await clock.advance(3000);
  t.is(registry.stats().finished, 0);
  t.is(store.jobs.size, 2);
  store.mode = 'works';
  await clock.advance(1000);
  t.is(store.jobs.size, 0);
  const { length } = store.calls;
  await clock.advance(minute);
  t.is(store.calls.length, length, 'what is gone is not removed again');
});

test('draining writes the ends of attempts that still came in', async (t) => {
  const under = createStored(t);
  const { registry, store, held } = under;
  const job = await flying(under);
  registry.close();
  store.mode = 'holds';
  let drained = false;
  const draining = registry.drain(10_000).then(() => (drained = true));
  held.land(answered(201));
  await settled();
  t.false(drained, 'its end is being written');
  store.next().take();
  await draining;
  t.is(store.jobs.get(job.id)?.state, 'Finished');
});

test('draining with storage that fails ends at once', async (t) => {
  const under = createStored(t, { laneConcurrency: 2 });
  const { registry, store, held, clock } = under;
  const job = await flying(under);
  await accepted(under, 'fails');
  held.land(answered(201));
  await clock.advance(5000);
  registry.close();
  await registry.drain(10_000);
  t.is(clock.armed, 0);
  t.is(store.jobs.get(job.id)?.state, 'Processing', 'the next start attempts it again');
});

test('draining with storage that hangs ends after its graces', async (t) => {
  const under = createStored(t);
  const { registry, store, held, clock } = under;
  await flying(under);
  store.mode = 'holds';
  held.land(answered(201));
  await settled();
  registry.close();
  let drained = false;
  void registry.drain(10_000).then(() => (drained = true));
  await clock.advance(4999);
  t.false(drained, 'what is still being written has five seconds');
  await clock.advance(1);
  t.true(drained);
  t.is(clock.armed, 0);
});
