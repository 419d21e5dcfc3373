import test, { type ExecutionContext } from 'ava';
import type { Job, NewJob } from '#relay/job/job.js';
import type { LocalRegistryOptions } from '#relay/job/local_registry.js';
import { settled } from '../helpers/fake_clock.js';
import {
  accept,
  answered,
  createRegistry,
  newJob,
  type RegistryUnderTest,
  stateOf,
} from '../helpers/jobs.js';
import { ScriptedStore } from '../helpers/scripted_store.js';

const minute = 60_000;
const keyed = { idempotencyKey: 'one' };
const unavailable = { ok: false, failure: { code: 'storage_unavailable', retryAfterSeconds: 5 } } as const;
const nothing = { pending: 0, processing: 0, finished: 0, bytes: 0, lanes: 0, running: 0, waiters: 0 };

interface Stored extends RegistryUnderTest {
  readonly store: ScriptedStore;
}

/** A registry over a store that works until the test says otherwise. A timer that is left at the end is a leak. */
function createStored(t: ExecutionContext, overrides: Partial<LocalRegistryOptions> = {}): Stored {
  const store = new ScriptedStore();
  const under = createRegistry({ store, ...overrides });
  t.teardown(async () => {
    store.mode = 'fails';
    for (const { fail } of store.held.splice(0)) fail();
    under.registry.close();
    const drained = under.registry.drain(0);
    await under.clock.advance(0);
    await drained;
    if (under.clock.armed > 0) throw new Error('a drained registry has left a timer');
  });
  return { ...under, store };
}

/** A job that is written, and what happens to the writes that follow. */
async function accepted(
  { registry, store }: Stored,
  then: ScriptedStore['mode'],
  overrides: Partial<NewJob> = {},
): Promise<Job> {
  store.mode = 'holds';
  const submitted = accept(registry, overrides);
  store.mode = then;
  store.next().take();
  return submitted;
}

/** A job whose first attempt is in flight. */
async function flying({ registry, store }: Stored): Promise<Job> {
  const job = await accept(registry);
  await settled();
  if (store.jobs.get(job.id)?.state !== 'Processing') throw new Error('it does not fly');
  return job;
}

test('a job is acknowledged once it is written, not before', async (t) => {
  const { registry, store, held } = createStored(t);
  store.mode = 'holds';
  let acknowledged = false;
  const submitted = accept(registry).finally(() => (acknowledged = true));
  await settled();
  t.false(acknowledged);
  t.deepEqual(held.begun, []);
  store.mode = 'works';
  store.next().take();
  const job = await submitted;
  t.is(job.state, 'Pending');
  t.is(job.version, 1);
});

test('a submission that cannot be written is refused and leaves nothing behind', async (t) => {
  const { registry, store, held, clock } = createStored(t, { maxQueued: 1, maxQueuedPerLane: 1 });
  store.mode = 'fails';
  for (let round = 0; round < 3; round += 1) {
    t.like(await registry.submit(newJob(keyed)), unavailable);
    t.like(registry.stats(), nothing);
  }
  await clock.advance(minute);
  t.deepEqual(held.begun, []);
  t.deepEqual(store.calls, ['Pending 1', 'Pending 1', 'Pending 1'], 'what was refused is not tried again');
  store.mode = 'works';
  await accept(registry, { ...keyed, data: '[]' });
});

test('two submissions with one key are one job while the first is written, and share its failure', async (t) => {
  const { registry, store } = createStored(t);
  store.mode = 'holds';
  const failing = [registry.submit(newJob(keyed)), registry.submit(newJob(keyed))];
  await settled();
  t.is(store.held.length, 1);
  store.next().fail();
  for (const result of await Promise.all(failing)) t.like(result, unavailable);
  t.like(registry.stats(), nothing);

  const twice = [accept(registry, keyed), accept(registry, keyed)];
  const other = registry.submit(newJob({ ...keyed, data: '[]' }));
  await settled();
  t.is(store.held.length, 1);
  store.mode = 'works';
  store.next().take();
  const [first, second] = await Promise.all(twice);
  t.is(first?.id, second?.id);
  t.like(await other, { failure: { code: 'idempotency_conflict' } });
});

test('a submission being written takes its place in lane and memory', async (t) => {
  const { registry, store } = createStored(t, { maxQueuedPerLane: 1 });
  store.mode = 'holds';
  const first = accept(registry);
  t.like(await registry.submit(newJob()), { failure: { code: 'lane_full' } });
  store.next().take();
  await first;
});

test('a job whose queue timeout passes while it is first written is still refused as a whole, or accepted', async (t) => {
  for (const outcome of ['fail', 'take'] as const) {
    const { registry, store, clock } = createStored(t, { queueTimeoutMs: 2000 });
    store.mode = 'holds';
    const submitted = registry.submit(newJob());
    await clock.advance(10_000);
    t.is(store.held.length, 1, 'nobody has seen it, so nothing ends');
    store.mode = 'works';
    store.next()[outcome]();
    const result = await submitted;
    t.is(result.ok, outcome === 'take');
    if (outcome === 'fail') t.like(registry.stats(), nothing);
  }
});

test('an attempt begins once it is written that it does, and is shown then', async (t) => {
  const under = createStored(t);
  const { registry, store, held } = under;
  const job = await accepted(under, 'holds');
  await settled();
  t.deepEqual(held.begun, []);
  t.is(await stateOf(registry, job.id), 'Pending');
  t.like(store.held, [{ what: { state: 'Processing', attempts: 1 } }]);
  store.next().take();
  await settled();
  t.deepEqual(held.begun, [job.id]);
  t.is(await stateOf(registry, job.id), 'Processing');
});

test('an attempt that cannot be written waits for the storage, and nothing of it counts', async (t) => {
  const under = createStored(t);
  const { registry, store, held, clock } = under;
  const job = await accepted(under, 'fails');
  await clock.advance(10_000);
  t.deepEqual(held.begun, []);
  t.like(await registry.get(job.id), { state: 'Pending', attempts: 0, version: 1 });
  const tried = store.calls.filter((call) => call === 'Processing 2').length;
  t.true(tried >= 10 && tried <= 11, `${tried} tries in ten seconds`);
  store.mode = 'works';
  await clock.advance(1000);
  t.deepEqual(held.begun, [job.id]);
  t.like(await registry.get(job.id), { state: 'Processing', attempts: 1, version: 2 });
});

test('a job cancelled while its attempt is being written never leaves', async (t) => {
  for (const outcome of ['take', 'fail'] as const) {
    const under = createStored(t);
    const { registry, store, held, clock } = under;
    const job = await accepted(under, 'holds');
    await settled();
    const attempt = store.next();
    const cancelled = registry.cancel(job.id);
    const end = store.next();
    attempt[outcome]();
    await settled();
    end.take();
    t.like(await cancelled, { value: { state: 'Finished', version: 2, attempts: 0 } });
    await clock.advance(5000);
    t.deepEqual(held.begun, []);
    t.like(store.jobs.get(job.id), { result: { error: { code: 'cancelled' } } });
    t.like(registry.stats(), { pending: 0, processing: 0, finished: 1, running: 0, lanes: 0 });
  }
});

test('whenever a job is cancelled while its attempt begins, nothing leaves, or what leaves is aborted', async (t) => {
  for (let ticks = 0; ticks < 12; ticks += 1) {
    const under = createStored(t);
    const { registry, store, held } = under;
    const job = await accepted(under, 'holds');
    await settled();
    store.mode = 'works';
    store.next().take();
    for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
    t.like(await registry.cancel(job.id), { value: { state: 'Finished' } });
    await settled();
    for (const { delivery } of held.flights) t.true(delivery.signal.aborted, `after ${ticks} ticks`);
  }
});

test('a job that expires while its attempt is being written never leaves', async (t) => {
  const under = createStored(t, { queueTimeoutMs: 5000 });
  const { registry, store, held, clock } = under;
  const job = await accepted(under, 'holds');
  await clock.advance(6000);
  t.is(store.held.length, 2);
  store.mode = 'works';
  store.next().take();
  store.next().take();
  await settled();
  t.deepEqual(held.begun, []);
  t.like(await registry.get(job.id), { attempts: 0, result: { error: { code: 'expired' } } });
});

test('a macaroon that expires while its attempt is being written lets nothing leave', async (t) => {
  const under = createStored(t);
  const { registry, store, held, clock } = under;
  const job = await accepted(under, 'holds', { expiresAtMs: clock.nowMs() + 2000 });
  await clock.advance(2000);
  store.mode = 'works';
  store.next().take();
  await settled();
  t.deepEqual(held.begun, []);
  t.like(await registry.get(job.id), { attempts: 0, result: { error: { code: 'expired' } } });
});

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

for (const mode of ['fails'] as const) {
  test(`where the storage ${mode} for good, an end is shown after another job timeout`, async (t) => {
    const limits = { attempts: 1, attemptTimeoutMs: 30_000, jobTimeoutMs: minute };
    const under = createStored(t, { limits });
    const { registry, store, held, finished, clock } = under;
    const job = await flying(under);
    store.mode = mode;
    held.land(answered(200));
    await clock.advance(minute - 1000);
    t.is(await stateOf(registry, job.id), 'Processing');
    await clock.advance(2000);
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
  await clock.advance(15_000);
  t.true(drained);
  t.is(clock.armed, 0);
});
