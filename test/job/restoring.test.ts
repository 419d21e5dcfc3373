import test from 'ava';
import type { Job } from '#relay/job/job.js';
import { settled } from '../helpers/fake_clock.js';
import {
  accept,
  answered,
  createRegistry,
  destination,
  failedWith,
  newJob,
  stateOf,
} from '../helpers/jobs.js';
import { createStored, flying, restarted, type Stored } from '../helpers/stored_registry.js';
import { idsOf } from '../helpers/stored_jobs.js';

const minute = 60_000;
const limits = { attempts: 2, attemptTimeoutMs: 30_000, jobTimeoutMs: 10 * minute };

/** Answers what is in flight, one after the other, until nothing is. */
async function landAll({ held }: Stored): Promise<void> {
  while (held.flights.length > 0) {
    held.land(answered());
    await settled();
  }
}

test('after a kill the job that was being attempted goes first in its lane, and the others as they were accepted', async (t) => {
  const before = createStored(t);
  const first = await flying(before);
  const others = [
    await accept(before.registry),
    await accept(before.registry),
    await accept(before.registry),
  ];
  const after = restarted(t, before);
  t.like(after.registry.stats(), { pending: 3, processing: 1, finished: 0 });
  await settled();
  await landAll(after);
  t.deepEqual(after.held.begun, idsOf([first, ...others]));
  t.is(after.registry.stats().finished, 4);
});

test('of several that were being attempted in one lane the order of acceptance stays', async (t) => {
  const before = createStored(t, { laneConcurrency: 3 });
  const jobs = [await flying(before), await flying(before), await flying(before)];
  const last = await accept(before.registry, { owner: '' });
  const after = restarted(t, before);
  await settled();
  await landAll(after);
  t.deepEqual(after.held.begun, idsOf([...jobs, last]));
});

test('nothing is attempted before the start, and what comes meanwhile goes last', async (t) => {
  const before = createStored(t);
  const job = await flying(before);
  const after = createStored(t);
  after.registry.restore([...before.store.jobs.values()]);
  const late = await accept(after.registry);
  await settled();
  t.deepEqual(after.held.begun, []);
  after.registry.start();
  await settled();
  await landAll(after);
  t.deepEqual(after.held.begun, idsOf([job, late]));
});

test('an attempt that a kill interrupted is made again with the same key, and counted', async (t) => {
  const before = createStored(t);
  const job = await flying(before);
  const after = restarted(t, before, 5000);
  t.like(await after.registry.get(job.id), { state: 'Processing', version: 2, attempts: 1 });
  await settled();
  t.deepEqual(after.held.begun, [job.id]);
  after.held.land(answered(201));
  await settled();
  t.like(await after.registry.get(job.id), {
    state: 'Finished',
    version: 4,
    attempts: 2,
    attemptRecords: [{ result: 'interrupted' }, { result: 201 }],
  });
});

test('interrupted attempts are not charged', async (t) => {
  const before = createStored(t, { limits });
  const job = await flying(before);
  const after = restarted(t, before, 0, { limits });
  await settled();
  after.held.land(failedWith('connect_failed'));
  await after.clock.advance(1000);
  after.held.land(failedWith('connect_failed'));
  await after.clock.advance(minute);
  t.like(await after.registry.get(job.id), { state: 'Finished', attempts: 3 });
  t.is(after.held.begun.length, 2);
});

test('three interruptions are forgiven; with the fourth the job ends as interrupted', async (t) => {
  let relay = createStored(t);
  const job = await flying(relay);
  for (let interruption = 1; interruption <= 3; interruption += 1) {
    relay = restarted(t, relay);
    await settled();
    t.deepEqual(relay.held.begun, [job.id]);
  }
  relay = restarted(t, relay);
  await settled();
  t.deepEqual(relay.held.begun, []);
  t.like(await relay.registry.get(job.id), {
    state: 'Finished',
    attempts: 4,
    result: { kind: 'gave_up', error: { code: 'interrupted' } },
  });
  t.is(relay.store.jobs.get(job.id)?.state, 'Finished');
});

test('starts that never get to an attempt interrupt nothing', async (t) => {
  let relay = createStored(t);
  const job = await flying(relay);
  for (let start = 0; start < 10; start += 1) {
    const next = createStored(t);
    next.registry.restore([...relay.store.jobs.values()]);
    await settled();
    t.is(await stateOf(next.registry, job.id), 'Processing');
  }
  relay = restarted(t, relay);
  await settled();
  t.deepEqual(relay.held.begun, [job.id]);
});

for (const [awayMs, dueMs, why] of [
  [20_000, 40_000, 'the rest of it'],
  [120_000, 0, 'nothing if it was due meanwhile'],
  [-60 * minute, 60_000, 'all of it, and no more, if the clock was set back'],
] as const) {
  test(`a job that waited for its next attempt waits ${why}`, async (t) => {
    const before = createStored(t, { limits });
    const job = await flying(before);
    before.held.land(answered(503, { headers: { 'retry-after': '60' } }));
    await settled();
    const after = restarted(t, before, awayMs, { limits });
    if (dueMs > 0) {
      await after.clock.advance(dueMs - 1);
      t.deepEqual(after.held.begun, []);
      await after.clock.advance(1);
    }
    await settled();
    t.deepEqual(after.held.begun, [job.id]);
    after.held.land(answered(503));
    await settled();
    t.like(await after.registry.get(job.id), { state: 'Finished', attempts: 2 }, 'both were charged');
  });
}

test('the end of an attempt that could not be written counts as an interruption', async (t) => {
  const before = createStored(t, { limits });
  const job = await flying(before);
  before.store.mode = 'fails';
  before.held.land(answered(503, { headers: { 'retry-after': '60' } }));
  await settled();
  const after = restarted(t, before, 0, { limits });
  await settled();
  t.deepEqual(after.held.begun, [job.id]);
});

for (const [awayMs, restMs, why] of [
  [20 * minute, 40 * minute, 'for the rest of its time'],
  [-60 * minute, 60 * minute, 'for its whole time if the clock was set back'],
] as const) {
  test(`a result is kept ${why}`, async (t) => {
    const before = createStored(t, { resultTtlMs: 60 * minute });
    const job = await flying(before);
    before.held.land(answered(200, { body: 'the answer' }));
    await settled();
    const finished = await before.registry.get(job.id);
    const after = restarted(t, before, awayMs, { resultTtlMs: 60 * minute });
    t.deepEqual(await after.registry.get(job.id), finished);
    await after.clock.advance(restMs - 1000);
    t.deepEqual(await after.registry.get(job.id), finished);
    await after.clock.advance(2000);
    t.is(await after.registry.get(job.id), undefined);
    t.is(after.store.jobs.size, 0);
  });
}

test('a result whose time is over when the relay comes back goes, from the store too', async (t) => {
  const before = createStored(t, { resultTtlMs: minute });
  const job = await flying(before);
  before.held.land(answered());
  await settled();
  const after = restarted(t, before, 2 * minute, { resultTtlMs: minute });
  await after.clock.advance(1000);
  t.is(await after.registry.get(job.id), undefined);
  t.is(after.store.jobs.size, 0);
  t.is(after.registry.stats().bytes, 0);
});

test('more results than are kept come back as many as are, the youngest', async (t) => {
  const before = createStored(t);
  const jobs = [];
  for (let number = 0; number < 4; number += 1) {
    jobs.push(await flying(before));
    before.held.land(answered());
    await before.clock.advance(10);
  }
  const after = restarted(t, before, 0, { maxKept: 2 });
  await settled();
  t.deepEqual([...after.store.jobs.keys()], idsOf(jobs.slice(2)));
  t.is(after.registry.stats().finished, 2);
});

test('a job whose queue timeout passed while the relay was away ends as expired and never leaves', async (t) => {
  const before = createStored(t, { queueTimeoutMs: minute });
  await flying(before);
  const waiting = await accept(before.registry);
  const elsewhere = await accept(before.registry, { owner: 'another' });
  // In its own lane it would have been attempted at once.
  before.store.jobs.set(elsewhere.id, elsewhere);
  const after = restarted(t, before, minute, { queueTimeoutMs: minute });
  await settled();
  for (const { id } of [waiting, elsewhere]) {
    t.like(await after.registry.get(id), { attempts: 0, result: { error: { code: 'expired' } } });
    t.false(after.held.begun.includes(id));
  }
});

test('what is left of a queue timeout goes on after a restart', async (t) => {
  const before = createStored(t, { queueTimeoutMs: minute });
  await flying(before);
  const waiting = await accept(before.registry);
  const after = restarted(t, before, 40_000, { queueTimeoutMs: minute });
  await after.clock.advance(19_000);
  t.is(await stateOf(after.registry, waiting.id), 'Pending');
  await after.clock.advance(2000);
  t.like(await after.registry.get(waiting.id), { result: { error: { code: 'expired' } } });
});

test('a macaroon that expired while the relay was away lets nothing leave', async (t) => {
  const before = createStored(t);
  await flying(before);
  const waiting = await accept(before.registry, { expiresAtMs: before.clock.nowMs() + minute });
  const after = restarted(t, before, minute);
  await settled();
  await landAll(after);
  t.like(await after.registry.get(waiting.id), { attempts: 0, result: { error: { code: 'expired' } } });
  t.false(after.held.begun.includes(waiting.id));
});

test('idempotency keys come back with jobs that wait, fly and are kept', async (t) => {
  const before = createStored(t);
  const kept = await accept(before.registry, { idempotencyKey: 'kept' });
  await settled();
  before.held.land(answered());
  await settled();
  const flies = await accept(before.registry, { idempotencyKey: 'flies' });
  const waits = await accept(before.registry, { idempotencyKey: 'waits' });
  const { registry } = restarted(t, before);
  for (const { id, idempotency } of [kept, flies, waits]) {
    const idempotencyKey = idempotency?.key ?? '';
    t.is((await accept(registry, { idempotencyKey })).id, id);
    t.like(await registry.submit(newJob({ idempotencyKey, data: '[]' })), {
      failure: { code: 'idempotency_conflict' },
    });
  }
});

test('a key that passed to another job stays with it when the first comes back and goes', async (t) => {
  const keyed = { idempotencyKey: 'one' };
  const before = createStored(t, { maxKept: 1 });
  const first = await accept(before.registry, keyed);
  await settled();
  before.held.land(answered());
  await settled();
  await flying(before);
  const stored = before.store.jobs.get(first.id);
  before.held.land(answered());
  await settled();
  t.is(await before.registry.get(first.id), undefined);
  const second = await accept(before.registry, keyed);
  await settled();
  // The removal of the first was not written before the stop.
  if (stored !== undefined) before.store.jobs.set(first.id, stored);
  const after = restarted(t, before, 0, { maxKept: 1 });
  await settled();
  after.held.land(answered());
  await settled();
  t.is(await after.registry.get(first.id), undefined);
  t.is((await accept(after.registry, keyed)).id, second.id);
});

test('what came back counts towards the limits', async (t) => {
  const before = createStored(t);
  await flying(before);
  await accept(before.registry);
  const { registry } = restarted(t, before, 0, { maxQueuedPerLane: 2, maxQueued: 3 });
  t.like(await registry.submit(newJob()), { failure: { code: 'lane_full' } });
  await accept(registry, { destination: destination('https://other.example/') });
  t.like(await registry.submit(newJob({ owner: 'another' })), { failure: { code: 'queue_full' } });
});

test('what came back takes as much memory as before', async (t) => {
  const before = createStored(t);
  await flying(before);
  before.held.land(answered(200, { body: 'x'.repeat(1000) }));
  await settled();
  await flying(before);
  await accept(before.registry, { purpose: 'p', idempotencyKey: 'k', headers: [['x-a', 'b']] });
  const { registry } = restarted(t, before);
  t.is(registry.stats().bytes, before.registry.stats().bytes);
});

test('of the jobs that came back what becomes of them is reported, and nothing else', async (t) => {
  const before = createStored(t);
  const [flies, waits] = [await flying(before), await accept(before.registry)];
  const reported: (readonly [string, string])[] = [];
  const onChange = ({ id, state }: Job): unknown => reported.push([id, state]);
  const { registry } = createRegistry({ onChange });
  registry.restore([...before.store.jobs.values()]);
  t.deepEqual(reported, []);
  await registry.cancel(waits.id);
  t.deepEqual(reported, [[waits.id, 'Finished']]);
  t.is((await registry.get(flies.id))?.state, 'Processing');
});
