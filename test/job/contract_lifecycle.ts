import { newJobId } from '#relay/job/job.js';
import { accept, answered, failedWith, stateOf } from '../helpers/jobs.js';
import type { Behaviour } from './behaviour.js';

const minute = 60_000;

/** How a job goes from its submission to its end. */
export const lifecycle: readonly Behaviour[] = [
  {
    name: 'a job goes from Pending over Processing to Finished, each with a version of its own',
    run: async (t, { registry, held, settle }) => {
      const pending = await accept(registry);
      t.is(pending.state, 'Pending');
      t.is(pending.version, 1);
      await settle();
      const processing = await registry.get(pending.id);
      t.is(processing?.state, 'Processing');
      t.is(processing?.version, 2);
      t.is(processing?.attempts, 1);
      held.land(answered(201));
      await settle();
      const finished = await registry.get(pending.id);
      t.is(finished?.state, 'Finished');
      t.is(finished?.version, 3);
      t.like(finished?.result, { kind: 'answered', answer: { statusCode: 201 } });
    },
  },
  {
    name: 'the data is handed to the delivery as it came, with the id as its key',
    run: async (t, { registry, held, settle }) => {
      const job = await accept(registry, { data: '{"a":1.0}', dataBytes: 9 });
      await settle();
      const [flight] = held.flights;
      t.is(flight?.delivery.data, '{"a":1.0}');
      t.is(flight?.delivery.idempotencyKey, job.id);
    },
  },
  {
    name: 'an attempt without an answer finishes the job with its error',
    run: async (t, { registry, held, finished, settle }) => {
      const job = await accept(registry);
      await settle();
      held.land(failedWith('connect_failed'));
      await settle();
      t.is(await stateOf(registry, job.id), 'Finished');
      t.deepEqual(finished[0]?.result, {
        kind: 'gave_up',
        error: { code: 'connect_failed', message: 'it was connect_failed' },
      });
    },
  },
  {
    name: 'a transient error is tried again with the same key, after a delay that holds no slot',
    options: { limits: { attempts: 3, attemptTimeoutMs: 30_000, jobTimeoutMs: 10 * minute } },
    run: async (t, { registry, held, settle, advance }) => {
      const job = await accept(registry);
      await accept(registry);
      await settle();
      held.land(answered(503));
      await settle();
      t.is(await stateOf(registry, job.id), 'Processing');
      t.is(held.begun.length, 2, 'the next job of the lane goes meanwhile');
      held.land(answered(200));
      await advance(500);
      t.deepEqual(held.begun[2], job.id);
      held.land(answered(200));
      await settle();
      const done = await registry.get(job.id);
      t.is(done?.state, 'Finished');
      t.is(done?.attempts, 2);
    },
  },
  {
    name: 'a job that is due again while its lane is busy goes before the lane’s other jobs',
    options: { limits: { attempts: 3, attemptTimeoutMs: 30_000, jobTimeoutMs: 10 * minute } },
    run: async (t, { registry, held, settle, advance }) => {
      const first = await accept(registry);
      const second = await accept(registry);
      const third = await accept(registry);
      await settle();
      held.land(answered(503));
      await advance(500);
      held.land(answered(200));
      await settle();
      t.deepEqual(held.begun, [first.id, second.id, first.id]);
      held.land(answered(200));
      await settle();
      t.is(held.begun[3], third.id);
    },
  },
  {
    name: 'a job whose next attempt cannot begin in time ends with the last answer at its job timeout',
    options: { limits: { attempts: 3, attemptTimeoutMs: 30_000, jobTimeoutMs: minute } },
    run: async (t, { registry, held, finished, settle, advance }) => {
      const first = await accept(registry);
      await accept(registry);
      await settle();
      held.land(answered(503));
      // The second job now holds the lane for longer than the first may take.
      await advance(minute + 1000);
      t.is(await stateOf(registry, first.id), 'Finished');
      t.like(finished[0]?.result, { kind: 'answered', answer: { statusCode: 503 } });
    },
  },
  {
    name: 'cancelling a Pending job keeps it from ever leaving',
    run: async (t, { registry, held, settle }) => {
      await accept(registry);
      const waiting = await accept(registry);
      await settle();
      const cancelled = await registry.cancel(waiting.id);
      t.like(cancelled, {
        value: { state: 'Finished', result: { kind: 'gave_up', error: { code: 'cancelled' } } },
      });
      held.land(answered());
      await settle();
      t.is(held.begun.length, 1);
    },
  },
  {
    name: 'cancelling aborts an attempt in flight, and what it brings later changes nothing',
    run: async (t, { registry, held, settle }) => {
      const job = await accept(registry);
      await settle();
      const [flight] = held.flights;
      await registry.cancel(job.id);
      t.true(flight?.delivery.cancellation.isCancelled);
      held.land(answered(200));
      await settle();
      t.like(await registry.get(job.id), {
        version: 3,
        result: { kind: 'gave_up', error: { code: 'cancelled' } },
      });
    },
  },
  {
    name: 'cancelling a job that waits for its next attempt drops the attempt',
    options: { limits: { attempts: 3, attemptTimeoutMs: 30_000, jobTimeoutMs: 10 * minute } },
    run: async (t, { registry, held, settle, advance }) => {
      const job = await accept(registry);
      await settle();
      held.land(answered(503));
      await settle();
      await registry.cancel(job.id);
      await advance(minute);
      t.is(held.begun.length, 1);
    },
  },
  {
    name: 'cancelling a Finished job changes nothing',
    run: async (t, { registry, held, settle }) => {
      const job = await accept(registry);
      await settle();
      held.land(answered(200));
      await settle();
      t.like(await registry.cancel(job.id), { value: { version: 3, result: { kind: 'answered' } } });
    },
  },
  {
    name: 'what is unknown is unknown to every question',
    run: async (t, { registry }) => {
      const id = newJobId();
      t.is(await registry.get(id), undefined);
      t.like(await registry.cancel(id), { failure: { code: 'unknown_job' } });
      const watched = await registry.watch(id, { until: 'change', waitMs: 1000 });
      t.like(watched, { failure: { code: 'unknown_job' } });
    },
  },
  {
    name: 'the figures follow the jobs',
    run: async (t, { registry, held, settle, advance }) => {
      const nothing = registry.stats();
      t.deepEqual(nothing, {
        pending: 0,
        processing: 0,
        finished: 0,
        waiters: 0,
        lanes: 0,
        running: 0,
        bytes: 0,
      });
      const job = await accept(registry);
      await accept(registry);
      await settle();
      void registry.watch(job.id, { until: 'Finished', waitMs: 5000 });
      t.like(registry.stats(), { pending: 1, processing: 1, finished: 0, waiters: 1, lanes: 1, running: 1 });
      held.land(answered());
      await settle();
      t.like(registry.stats(), { pending: 0, processing: 1, finished: 1, waiters: 0, running: 1 });
      held.land(answered());
      await settle();
      t.like(registry.stats(), { processing: 0, finished: 2, lanes: 0, running: 0 });
      await advance(3_602_000);
      t.deepEqual(registry.stats(), nothing);
    },
  },
  {
    name: 'of jobs submitted at once each is accepted, and they leave in that order',
    run: async (t, { registry, held, settle }) => {
      const jobs = await Promise.all(Array.from({ length: 20 }, () => accept(registry)));
      for (const { id } of jobs) {
        await settle();
        t.is(held.begun.at(-1), id);
        held.land(answered());
      }
      await settle();
      t.is(registry.stats().finished, 20);
    },
  },
  {
    name: 'draining begins no attempt and lets those in flight end',
    run: async (t, { registry, held, settle }) => {
      const job = await accept(registry);
      const waiting = await accept(registry);
      await settle();
      registry.close();
      const drained = registry.drain(10_000);
      held.land(answered());
      await drained;
      t.is(await stateOf(registry, job.id), 'Finished');
      t.is(await stateOf(registry, waiting.id), 'Pending');
      t.is(held.begun.length, 1);
    },
  },
];
