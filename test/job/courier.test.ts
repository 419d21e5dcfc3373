import test from 'ava';
import { type AttemptReport, Courier, type CourierOptions } from '#relay/job/courier.js';
import type { JobResult } from '#relay/job/job.js';
import { eventually } from '../helpers/eventually.js';
import { FakeClock, settled } from '../helpers/fake_clock.js';
import { accept, answered, createRegistry, HeldDeliveries, stateOf } from '../helpers/jobs.js';
import { begun, pending } from '../helpers/stored_jobs.js';

const jobTimeoutMs = 60_000;

/** A courier of one job, and what it tells. */
function createCourier(overrides: Partial<CourierOptions> = {}) {
  const clock = new FakeClock();
  const held = new HeldDeliveries();
  const job = begun(pending());
  const reports: AttemptReport[] = [];
  const ends: JobResult[] = [];
  const told: string[] = [];
  const courier = new Courier({
    clock,
    limits: { attempts: 3, attemptTimeoutMs: 30_000, jobTimeoutMs },
    deliver: held.deliver,
    random: () => 1,
    onAttempt: (report) => reports.push(report),
    onBug: (error) => {
      throw error;
    },
    begin: (id) => {
      courier.depart(id);
      return job;
    },
    settle: (_id, result) => ends.push(result),
    note: (_id, result, retryInMs) => told.push(`${result}, again in ${retryInMs}`),
    requeue: () => told.push('due'),
    ...overrides,
  });
  return { courier, clock, held, job, reports, ends, told };
}

const last = { kind: 'gave_up', error: { code: 'interrupted', message: 'it was cut off' } } as const;

test('an attempt is reported with how long it took, and when the next one follows', async (t) => {
  const { courier, clock, held, job, reports, told } = createCourier();
  await clock.advance(40_000);
  const attempt = courier.attempt(job.id);
  await clock.advance(700);
  held.land(answered(503));
  await attempt;
  t.like(reports, [{ durationMs: 700, retryInMs: 500 }]);
  t.deepEqual(told, ['503, again in 500']);
  t.like(courier.lastAnswer(job.id), { kind: 'answered', answer: { statusCode: 503 } });
  await clock.advance(500);
  t.deepEqual(told, ['503, again in 500', 'due']);
});

for (const way of ['recall', 'abandon'] as const) {
  test(`what becomes of an attempt after ${way} is reported, and has no other consequence`, async (t) => {
    const { courier, clock, held, job, reports, ends, told } = createCourier();
    const attempt = courier.attempt(job.id);
    await settled();
    courier[way](job.id);
    t.true(held.flights[0]?.delivery.cancellation.isCancelled);
    held.land(answered(503));
    await attempt;
    t.like(reports, [{ outcome: { answer: { statusCode: 503 } }, retryInMs: undefined }]);
    t.deepEqual([ends, told], [[], []]);
    t.is(courier.lastAnswer(job.id), undefined);
    t.is(clock.armed, 0);
  });
}

test('an attempt that has been written only after the stop does not leave', async (t) => {
  let written: () => void = () => undefined;
  const { courier, held, job, ends } = createCourier({
    begin: async (id) => {
      await new Promise<void>((resolve) => (written = resolve));
      courier.depart(id);
      return job;
    },
  });
  const attempt = courier.attempt(job.id);
  courier.abandon();
  written();
  await attempt;
  t.deepEqual([held.begun, ends], [[], []]);
});

test('a job that is taken up again is due after its delay, and ends when its job timeout has passed', async (t) => {
  const { courier, clock, job, told, ends } = createCourier();
  await clock.advance(1000);
  courier.resume(job.id, 1, last);
  t.deepEqual(told, []);
  await clock.advance(1);
  t.deepEqual(told, ['due']);
  courier.expire(1000 + jobTimeoutMs - 1);
  t.deepEqual(ends, []);
  courier.expire(1000 + jobTimeoutMs);
  t.deepEqual(ends, [last]);
  t.is(courier.lastAnswer(job.id), undefined);
});

test('an attempt that begins when the job timeout has passed has a millisecond, not none', async (t) => {
  const { courier, clock, held, job } = createCourier();
  courier.resume(job.id, 0, last);
  await clock.advance(jobTimeoutMs + 5);
  const attempt = courier.attempt(job.id);
  await settled();
  t.is(held.flights[0]?.delivery.timeoutMs, 1);
  held.land(answered(200));
  await attempt;
});

test('a job without a delay is due at once', (t) => {
  const { courier, clock, job, told } = createCourier();
  courier.resume(job.id, 0, last);
  t.deepEqual(told, ['due']);
  t.is(clock.armed, 0);
});

test('a job timeout does not end a job whose attempt is in flight', async (t) => {
  const { courier, clock, held, job, ends } = createCourier();
  courier.resume(job.id, 0, last);
  const attempt = courier.attempt(job.id);
  await clock.advance(jobTimeoutMs);
  courier.expire(clock.monotonicMs());
  t.deepEqual(ends, []);
  held.land(answered(200));
  await attempt;
  t.like(ends, [{ kind: 'answered', answer: { statusCode: 200 } }]);
});

test('a bug in the delivery ends the job, and its lane goes on', async (t) => {
  let attempts = 0;
  const bugs: unknown[] = [];
  const { registry, held, finished } = createRegistry({
    onBug: (error) => bugs.push(error),
    deliver: (delivery) => {
      attempts += 1;
      if (attempts === 1) throw new Error('a bug');
      if (attempts === 2) return Promise.reject(new Error('another bug'));
      return held.deliver(delivery);
    },
  });
  t.teardown(() => registry.close());
  const [first, second, third] = [await accept(registry), await accept(registry), await accept(registry)];
  await eventually(() => held.begun.length === 1);
  t.is(await stateOf(registry, third.id), 'Processing');
  for (const { id } of [first, second]) {
    t.like(await registry.get(id), {
      state: 'Finished',
      attempts: 1,
      result: { kind: 'gave_up', error: { code: 'interrupted' } },
    });
  }
  t.is(bugs.length, 2);
  t.is(finished.length, 2);
  t.is(registry.stats().processing, 1);
});
