import { accept, answered, newJob, stateOf } from '../helpers/jobs.js';
import type { Behaviour } from './behaviour.js';

/** How a long poll waits, and what ends it. */
export const watching: readonly Behaviour[] = [
  {
    name: 'a long poll is answered by the next change, and by no other job’s',
    run: async (t, { registry, held, settle }) => {
      const job = await accept(registry);
      const other = await accept(registry);
      await settle();
      const poll = registry.watch(job.id, { until: 'change', waitMs: 5000 });
      const otherPoll = registry.watch(other.id, { until: 'change', waitMs: 5000 });
      held.land(answered());
      const result = await poll;
      t.true(result.ok && result.value.state === 'Finished');
      await settle();
      t.is(registry.stats().waiters, 0, 'the other job began, which woke its waiter too');
      t.true((await otherPoll).ok);
    },
  },
  {
    name: 'a version that is known to be old is answered at once',
    run: async (t, { registry, settle }) => {
      const job = await accept(registry);
      await settle();
      const result = await registry.watch(job.id, { until: 'change', waitMs: 5000, knownVersion: 1 });
      t.true(result.ok && result.value.version === 2);
    },
  },
  {
    name: 'until=Finished sleeps through Processing, whatever version is known',
    run: async (t, { registry, held, settle }) => {
      const job = await accept(registry);
      let done = false;
      const poll = registry
        .watch(job.id, { until: 'Finished', waitMs: 5000, knownVersion: 99 })
        .then((result) => {
          done = true;
          return result;
        });
      await settle();
      t.is(await stateOf(registry, job.id), 'Processing');
      t.false(done);
      held.land(answered());
      const result = await poll;
      t.true(result.ok && result.value.state === 'Finished');
    },
  },
  {
    name: 'a long poll ends with the current state when its wait is over',
    run: async (t, { registry, settle, advance }) => {
      const job = await accept(registry);
      await settle();
      const poll = registry.watch(job.id, { until: 'change', waitMs: 5000 });
      await advance(4999);
      t.is(registry.stats().waiters, 1);
      await advance(1);
      const result = await poll;
      t.true(result.ok && result.value.state === 'Processing');
      t.is(registry.stats().waiters, 0);
    },
  },
  {
    name: 'a wait of nothing, and one whose client has gone already, hold nothing',
    run: async (t, { registry }) => {
      const job = await accept(registry);
      await registry.watch(job.id, { until: 'change', waitMs: 0 });
      await registry.watch(job.id, { until: 'change', waitMs: 5000, signal: AbortSignal.abort() });
      t.pass();
    },
  },
  {
    name: 'a client that goes away frees its waiter and its timer at once',
    run: async (t, { registry, clock, settle }) => {
      const job = await accept(registry);
      await settle();
      const armed = clock.armed;
      const gone = new AbortController();
      const poll = registry.watch(job.id, { until: 'change', waitMs: 5000, signal: gone.signal });
      t.is(clock.armed, armed + 1);
      gone.abort();
      await poll;
      t.is(registry.stats().waiters, 0);
      t.is(clock.armed, armed);
    },
  },
  {
    name: 'all waiters of one job get its end',
    run: async (t, { registry, held, settle }) => {
      const job = await accept(registry);
      await settle();
      const polls = Array.from({ length: 50 }, () =>
        registry.watch(job.id, { until: 'Finished', waitMs: 5000 }),
      );
      held.land(answered());
      for (const result of await Promise.all(polls)) t.true(result.ok && result.value.state === 'Finished');
    },
  },
  {
    name: 'waiters beyond the bound are turned away, and told when to come back',
    options: { maxWaiters: 1 },
    run: async (t, { registry, settle }) => {
      const job = await accept(registry);
      await settle();
      void registry.watch(job.id, { until: 'change', waitMs: 5000 });
      const result = await registry.watch(job.id, { until: 'change', waitMs: 5000 });
      t.like(result, { ok: false, failure: { code: 'too_many_waiters', retryAfterSeconds: 1 } });
    },
  },
  {
    name: 'closing answers the waiters, refuses new jobs and still answers polls',
    run: async (t, { registry, settle }) => {
      const job = await accept(registry);
      await settle();
      const poll = registry.watch(job.id, { until: 'Finished', waitMs: 5000 });
      registry.close();
      const result = await poll;
      t.true(result.ok && result.value.state === 'Processing');
      t.like(await registry.submit(newJob()), { ok: false, failure: { code: 'shutting_down' } });
      t.is(await stateOf(registry, job.id), 'Processing');
      const after = await registry.watch(job.id, { until: 'Finished', waitMs: 5000 });
      t.true(after.ok);
    },
  },
];
