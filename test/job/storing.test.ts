import test from 'ava';
import { settled } from '../helpers/fake_clock.js';
import { accept, newJob, stateOf } from '../helpers/jobs.js';
import { accepted, createStored, unavailable } from '../helpers/stored_registry.js';

const minute = 60_000;
const keyed = { idempotencyKey: 'one' };
const nothing = { pending: 0, processing: 0, finished: 0, bytes: 0, lanes: 0, running: 0, waiters: 0 };

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

test('a check says what a submission would meet: a storage that cannot be written', async (t) => {
  const { registry, store } = createStored(t, { maxQueued: 1, maxQueuedPerLane: 1 });
  t.is(await registry.check(newJob(keyed)), undefined);
  store.mode = 'fails';
  t.like(await registry.check(newJob(keyed)), unavailable.failure);
  t.like(registry.stats(), nothing);
  store.mode = 'works';
  t.is(await registry.check(newJob(keyed)), undefined);
  await accept(registry, keyed);
  t.is(await registry.check(newJob(keyed)), undefined);
  t.like(await registry.check(newJob({ ...keyed, idempotencyKey: undefined })), { code: 'lane_full' });
  t.is(store.calls.filter((call) => call === 'probe').length, 3, 'what is refused anyway writes nothing');
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

test('a job that has come and gone when its attempt could be written again never leaves, and that is no bug', async (t) => {
  const bugs: unknown[] = [];
  const under = createStored(t, { maxKept: 0, onBug: (error) => bugs.push(error) });
  const { registry, store, held, clock } = under;
  const job = await accepted(under, 'fails');
  await settled();
  store.mode = 'works';
  t.like(await registry.cancel(job.id), { value: { state: 'Finished' } });
  t.is(await registry.get(job.id), undefined);
  await clock.advance(1000);
  t.deepEqual(held.begun, []);
  t.deepEqual(bugs, []);
  t.deepEqual(store.calls, ['Pending 1', 'Processing 2', 'Finished 2', 'remove']);
  t.like(registry.stats(), nothing);
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
    for (const { delivery } of held.flights)
      t.true(delivery.cancellation.isCancelled, `after ${ticks} ticks`);
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
