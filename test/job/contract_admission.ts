import { accept, answered, destination, newJob, stateOf } from '../helpers/jobs.js';
import type { Behaviour } from './behaviour.js';

const minute = 60_000;
const keyed = { idempotencyKey: 'one' };

/** What is accepted, how long it is kept, and what a repetition gets. */
export const admission: readonly Behaviour[] = [
  {
    name: 'a Finished job stays readable until its time is over, however often it is read',
    options: { resultTtlMs: 10 * minute },
    run: async (t, { registry, held, settle, advance }) => {
      const job = await accept(registry);
      await settle();
      held.land(answered());
      await advance(10 * minute - 1000);
      for (let read = 0; read < 3; read += 1) {
        registry.markRead(job.id);
        t.is(await stateOf(registry, job.id), 'Finished');
      }
      await advance(2000);
      t.is(await stateOf(registry, job.id), undefined);
      t.is(registry.stats().bytes, 0);
    },
  },
  {
    name: 'a job that waits too long for its first attempt ends as expired',
    options: { queueTimeoutMs: minute },
    run: async (t, { registry, held, settle, advance }) => {
      await accept(registry);
      const waiting = await accept(registry);
      await advance(minute + 1000);
      t.like(await registry.get(waiting.id), {
        state: 'Finished',
        attempts: 0,
        result: { kind: 'gave_up', error: { code: 'expired' } },
      });
      held.land(answered());
      await settle();
      t.is(held.begun.length, 1);
    },
  },
  {
    name: 'a full lane refuses, others do not',
    options: { maxQueuedPerLane: 2 },
    run: async (t, { registry }) => {
      await accept(registry);
      await accept(registry);
      t.like(await registry.submit(newJob()), { ok: false, failure: { code: 'lane_full' } });
      await accept(registry, { destination: destination('https://other.example/') });
    },
  },
  {
    name: 'a full queue refuses until a job has finished',
    options: { maxQueued: 2 },
    run: async (t, { registry, held, settle }) => {
      await accept(registry);
      await accept(registry);
      t.like(await registry.submit(newJob()), {
        ok: false,
        failure: { code: 'queue_full', retryAfterSeconds: 60 },
      });
      await settle();
      held.land(answered());
      await settle();
      await accept(registry);
      t.like(await registry.submit(newJob()), {
        failure: { code: 'queue_full', retryAfterSeconds: 10 },
      });
    },
  },
  {
    name: 'the same key and data give the same job, while it waits, flies and is kept',
    run: async (t, { registry, held, settle }) => {
      const { id } = await accept(registry, keyed);
      t.is((await accept(registry, keyed)).id, id);
      await settle();
      t.like(await accept(registry, keyed), { id, state: 'Processing' });
      held.land(answered(201));
      await settle();
      t.like(await accept(registry, keyed), { id, state: 'Finished', result: { kind: 'answered' } });
      t.is(held.begun.length, 1);
    },
  },
  {
    name: 'two submissions at once with one key are one job',
    run: async (t, { registry, held, settle }) => {
      const jobs = await Promise.all(Array.from({ length: 50 }, () => accept(registry, keyed)));
      t.is(new Set(jobs.map(({ id }) => id)).size, 1);
      await settle();
      t.is(held.begun.length, 1);
      t.is(registry.stats().processing, 1);
    },
  },
  {
    name: 'the same key with other data is a conflict, also after the job has finished and let its data go',
    run: async (t, { registry, held, settle }) => {
      await accept(registry, keyed);
      const other = newJob({ ...keyed, data: '[]' });
      const conflict = { ok: false, failure: { code: 'idempotency_conflict' } } as const;
      t.like(await registry.submit(other), conflict);
      await settle();
      held.land(answered());
      await settle();
      t.like(await registry.submit(other), conflict);
      t.is(registry.stats().finished, 1);
    },
  },
  {
    name: 'two spellings of one uri are one uri',
    run: async (t, { registry }) => {
      const { id } = await accept(registry, keyed);
      const respelt = destination('https://RECEIVER.example:443/x/../in');
      t.is((await accept(registry, { ...keyed, destination: respelt })).id, id);
    },
  },
  {
    name: 'a key is free again when its job is forgotten',
    options: { resultTtlMs: 60_000 },
    run: async (t, { registry, held, settle, advance }) => {
      const first = await accept(registry, keyed);
      await settle();
      held.land(answered());
      await advance(59_000);
      t.is((await accept(registry, keyed)).id, first.id);
      await advance(2000);
      const second = await accept(registry, { ...keyed, data: '[]' });
      t.not(second.id, first.id);
    },
  },
  {
    name: 'a key whose job made way for another is free again',
    options: { maxKept: 1 },
    run: async (t, { registry, held, settle }) => {
      const first = await accept(registry, keyed);
      await accept(registry);
      for (let landed = 0; landed < 2; landed += 1) {
        await settle();
        held.land(answered());
      }
      await settle();
      t.not((await accept(registry, keyed)).id, first.id);
    },
  },
  {
    name: 'a check says what a submission would, and changes nothing',
    options: { maxQueuedPerLane: 1 },
    run: async (t, { registry }) => {
      t.is(await registry.check(newJob()), undefined);
      t.is(registry.stats().pending, 0);
      await accept(registry, keyed);
      t.like(await registry.check(newJob()), { code: 'lane_full' });
      t.like(await registry.check(newJob({ ...keyed, data: '[]' })), { code: 'idempotency_conflict' });
      registry.close();
      t.like(await registry.check(newJob()), { code: 'shutting_down' });
    },
  },
];
