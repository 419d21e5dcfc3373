import test from 'ava';
import { settled } from '../helpers/fake_clock.js';
import { accept, answered, createRegistry, failedWith, stateOf } from '../helpers/jobs.js';

const minute = 60_000;

test('a job goes from Pending over Processing to Finished, each with a version of its own', async (t) => {
  const { registry, held } = createRegistry();
  const pending = await accept(registry);
  t.is(pending.state, 'Pending');
  t.is(pending.version, 1);
  await settled();
  const processing = await registry.get(pending.id);
  t.is(processing?.state, 'Processing');
  t.is(processing?.version, 2);
  t.is(processing?.attempts, 1);
  held.land(answered(201));
  await settled();
  const finished = await registry.get(pending.id);
  t.is(finished?.state, 'Finished');
  t.is(finished?.version, 3);
  t.like(finished?.result, { kind: 'answered', answer: { statusCode: 201 } });
});

test('the data is handed to the delivery as it came, with the id as its key', async (t) => {
  const { registry, held } = createRegistry();
  const job = await accept(registry, { data: '{"a":1.0}', dataBytes: 9 });
  await settled();
  const [flight] = held.flights;
  t.is(flight?.delivery.data, '{"a":1.0}');
  t.is(flight?.delivery.idempotencyKey, job.id);
});

test('an attempt without an answer finishes the job with its error', async (t) => {
  const { registry, held, finished } = createRegistry();
  const job = await accept(registry);
  await settled();
  held.land(failedWith('connect_failed'));
  await settled();
  t.is(await stateOf(registry, job.id), 'Finished');
  t.deepEqual(finished[0]?.result, {
    kind: 'gave_up',
    error: { code: 'connect_failed', message: 'it was connect_failed' },
  });
});

test('a transient error is tried again with the same key, after a delay that holds no slot', async (t) => {
  const limits = { attempts: 3, attemptTimeoutMs: 30_000, jobTimeoutMs: 10 * minute };
  const { registry, held, clock } = createRegistry({ limits });
  const job = await accept(registry);
  await accept(registry);
  await settled();
  held.land(answered(503));
  await settled();
  t.is(await stateOf(registry, job.id), 'Processing');
  t.is(held.begun.length, 2, 'the next job of the lane goes meanwhile');
  held.land(answered(200));
  await clock.advance(500);
  t.deepEqual(held.begun[2], job.id);
  held.land(answered(200));
  await settled();
  const done = await registry.get(job.id);
  t.is(done?.state, 'Finished');
  t.is(done?.attempts, 2);
});

test('a job that is due again while its lane is busy goes before the lane’s other jobs', async (t) => {
  const limits = { attempts: 3, attemptTimeoutMs: 30_000, jobTimeoutMs: 10 * minute };
  const { registry, held, clock } = createRegistry({ limits });
  const first = await accept(registry);
  const second = await accept(registry);
  const third = await accept(registry);
  await settled();
  held.land(answered(503));
  await clock.advance(500);
  held.land(answered(200));
  await settled();
  t.deepEqual(held.begun, [first.id, second.id, first.id]);
  held.land(answered(200));
  await settled();
  t.is(held.begun[3], third.id);
});

test('a job whose next attempt cannot begin in time ends with the last answer at its job timeout', async (t) => {
  const limits = { attempts: 3, attemptTimeoutMs: 30_000, jobTimeoutMs: minute };
  const { registry, held, clock, finished } = createRegistry({ limits });
  const first = await accept(registry);
  await accept(registry);
  await settled();
  held.land(answered(503));
  // The second job now holds the lane for longer than the first may take.
  await clock.advance(minute + 1000);
  t.is(await stateOf(registry, first.id), 'Finished');
  t.like(finished[0]?.result, { kind: 'answered', answer: { statusCode: 503 } });
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

test('cancelling a Pending job keeps it from ever leaving', async (t) => {
  const { registry, held } = createRegistry();
  await accept(registry);
  const waiting = await accept(registry);
  await settled();
  const cancelled = await registry.cancel(waiting.id);
  t.like(cancelled, {
    value: { state: 'Finished', result: { kind: 'gave_up', error: { code: 'cancelled' } } },
  });
  held.land(answered());
  await settled();
  t.is(held.begun.length, 1);
});

test('cancelling aborts an attempt in flight, and what it brings later changes nothing', async (t) => {
  const { registry, held } = createRegistry();
  const job = await accept(registry);
  await settled();
  const [flight] = held.flights;
  await registry.cancel(job.id);
  t.true(flight?.delivery.signal.aborted);
  held.land(answered(200));
  await settled();
  t.like(await registry.get(job.id), {
    version: 3,
    result: { kind: 'gave_up', error: { code: 'cancelled' } },
  });
});

test('cancelling a job that waits for its next attempt drops the attempt', async (t) => {
  const limits = { attempts: 3, attemptTimeoutMs: 30_000, jobTimeoutMs: 10 * minute };
  const { registry, held, clock } = createRegistry({ limits });
  const job = await accept(registry);
  await settled();
  held.land(answered(503));
  await settled();
  await registry.cancel(job.id);
  await clock.advance(minute);
  t.is(held.begun.length, 1);
});

test('cancelling a Finished job changes nothing', async (t) => {
  const { registry, held } = createRegistry();
  const job = await accept(registry);
  await settled();
  held.land(answered(200));
  await settled();
  t.like(await registry.cancel(job.id), { value: { version: 3, result: { kind: 'answered' } } });
});
