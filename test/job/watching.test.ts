import test from 'ava';
import { settled } from '../helpers/fake_clock.js';
import { accept, answered, createRegistry, stateOf } from '../helpers/jobs.js';

test('a long poll is answered by the next change, and by no other job’s', async (t) => {
  const { registry, held } = createRegistry();
  const job = await accept(registry);
  const other = await accept(registry);
  await settled();
  const poll = registry.watch(job.id, { until: 'change', waitMs: 5000 });
  const otherPoll = registry.watch(other.id, { until: 'change', waitMs: 5000 });
  held.land(answered());
  const result = await poll;
  t.true(result.ok && result.value.state === 'Finished');
  await settled();
  t.is(registry.stats().waiters, 0, 'the other job began, which woke its waiter too');
  t.true((await otherPoll).ok);
});

test('a version that is known to be old is answered at once', async (t) => {
  const { registry } = createRegistry();
  const job = await accept(registry);
  await settled();
  const result = await registry.watch(job.id, { until: 'change', waitMs: 5000, knownVersion: 1 });
  t.true(result.ok && result.value.version === 2);
});

test('until=Finished sleeps through Processing, whatever version is known', async (t) => {
  const { registry, held } = createRegistry();
  const job = await accept(registry);
  let done = false;
  const poll = registry
    .watch(job.id, { until: 'Finished', waitMs: 5000, knownVersion: 99 })
    .then((result) => {
      done = true;
      return result;
    });
  await settled();
  t.is(await stateOf(registry, job.id), 'Processing');
  t.false(done);
  held.land(answered());
  const result = await poll;
  t.true(result.ok && result.value.state === 'Finished');
});

test('a long poll ends with the current state when its wait is over', async (t) => {
  const { registry, clock } = createRegistry();
  const job = await accept(registry);
  await settled();
  const poll = registry.watch(job.id, { until: 'change', waitMs: 5000 });
  await clock.advance(4999);
  t.is(registry.stats().waiters, 1);
  await clock.advance(1);
  const result = await poll;
  t.true(result.ok && result.value.state === 'Processing');
  t.is(registry.stats().waiters, 0);
});

test('a wait of nothing, and one whose client has gone already, hold nothing', async (t) => {
  const { registry } = createRegistry();
  const job = await accept(registry);
  await registry.watch(job.id, { until: 'change', waitMs: 0 });
  await registry.watch(job.id, { until: 'change', waitMs: 5000, signal: AbortSignal.abort() });
  t.pass();
});

test('a client that goes away frees its waiter and its timer at once', async (t) => {
  const { registry, clock } = createRegistry();
  const job = await accept(registry);
  await settled();
  const armed = clock.armed;
  const gone = new AbortController();
  const poll = registry.watch(job.id, { until: 'change', waitMs: 5000, signal: gone.signal });
  t.is(clock.armed, armed + 1);
  gone.abort();
  await poll;
  t.is(registry.stats().waiters, 0);
  t.is(clock.armed, armed);
});

test('all waiters of one job get its end', async (t) => {
  const { registry, held } = createRegistry();
  const job = await accept(registry);
  await settled();
  const polls = Array.from({ length: 50 }, () => registry.watch(job.id, { until: 'Finished', waitMs: 5000 }));
  held.land(answered());
  for (const result of await Promise.all(polls)) t.true(result.ok && result.value.state === 'Finished');
});

test('waiters beyond the bound are turned away, and told when to come back', async (t) => {
  const { registry } = createRegistry({ maxWaiters: 1 });
  const job = await accept(registry);
  await settled();
  void registry.watch(job.id, { until: 'change', waitMs: 5000 });
  const result = await registry.watch(job.id, { until: 'change', waitMs: 5000 });
  t.like(result, { ok: false, failure: { code: 'too_many_waiters', retryAfterSeconds: 1 } });
});
