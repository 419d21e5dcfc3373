import test from 'ava';
import fc from 'fast-check';
import { accountOf, leavesRoom, Shares } from '#relay/job/shares.js';
import { settled } from '../helpers/fake_clock.js';
import { accept, answered, createRegistry, destination, newJob } from '../helpers/jobs.js';

const greedy = 'greedy';
const modest = 'modest';

test('a job counts for its owner, and where macaroons name none, for its lane', (t) => {
  const elsewhere = destination('https://elsewhere.example/');
  t.is(accountOf(newJob({ owner: 'a' })), accountOf(newJob({ owner: 'a', destination: elsewhere })));
  t.not(accountOf(newJob({ owner: 'a' })), accountOf(newJob({ owner: 'b' })));
  t.not(accountOf(newJob()), accountOf(newJob({ destination: elsewhere })));
  t.is(accountOf(newJob()), accountOf(newJob({ destination: destination('https://receiver.example/x') })));
});

test('up to the bound there is room for everybody, a little beyond it for who has little, and no further', (t) => {
  fc.assert(
    fc.property(fc.nat(3_000), fc.nat(3_000), fc.integer({ min: 1, max: 2000 }), (total, own, bound) => {
      const room = leavesRoom(total, Math.min(own, total), bound);
      if (total <= bound) t.true(room);
      if (total > bound * 1.125) t.false(room);
      if (total > bound && own > bound / 64 && own <= total) t.false(room);
    }),
  );
  t.true(leavesRoom(72, 1, 64));
  t.false(leavesRoom(72, 2, 64));
  t.false(leavesRoom(73, 1, 64));
});

test('an account that has nothing left is as one that never had anything', (t) => {
  const shares = new Shares();
  shares.add('a', 3);
  shares.add('b', 1);
  shares.add('a', 2);
  t.is(shares.of('a'), 5);
  shares.add('a', -5);
  t.is(shares.of('a'), 0);
  t.is(shares.of('b'), 1);
});

test('whoever has filled the memory with data is refused, and does not shut out others', async (t) => {
  const { registry } = createRegistry({ maxMemoryBytes: 64_000, laneConcurrency: 10 });
  const big = { owner: greedy, dataBytes: 10_000 };
  for (let number = 0; number < 6; number += 1) await accept(registry, big);
  t.like(await registry.submit(newJob(big)), { ok: false, failure: { code: 'queue_full' } });
  t.like(await registry.submit(newJob({ owner: greedy, dataBytes: 5000 })), { ok: false });
  await accept(registry, { owner: greedy, dataBytes: 3000 });
  // The other's jobs come first, and then they are no longer few.
  for (let number = 0; number < 9; number += 1) await accept(registry, { owner: modest, dataBytes: 40 });
  t.like(await registry.submit(newJob({ owner: modest, dataBytes: 800 })), {
    ok: false,
    failure: { code: 'queue_full' },
  });
  t.true(registry.stats().bytes <= 64_000 * 1.125);
});

test('whoever has filled the memory with results that it does not read costs others neither jobs nor answers', async (t) => {
  const { registry, held } = createRegistry({ maxMemoryBytes: 64_000, laneConcurrency: 10 });
  for (let number = 0; number < 8; number += 1) {
    await accept(registry, { owner: greedy });
    await settled();
    held.land(answered(200, { body: 'x'.repeat(10_000) }));
    await settled();
  }
  const job = await accept(registry, { owner: modest });
  await settled();
  held.land(answered(200, { body: 'y'.repeat(500) }));
  await settled();
  t.like((await registry.get(job.id))?.result, { kind: 'answered', answer: { truncated: false } });
  t.like(await registry.submit(newJob({ owner: greedy, dataBytes: 10_000 })), { ok: false });
});

test('whoever has filled the queue, or holds all long polls, does not shut out others', async (t) => {
  const { registry } = createRegistry({ maxQueued: 64, maxWaiters: 64 });
  const jobs = [];
  for (let number = 0; number < 64; number += 1) jobs.push(await accept(registry, { owner: greedy }));
  t.like(await registry.submit(newJob({ owner: greedy })), { ok: false, failure: { code: 'queue_full' } });
  const other = await accept(registry, { owner: modest });
  t.like(await registry.submit(newJob({ owner: modest })), { ok: false, failure: { code: 'queue_full' } });
  const wait = { until: 'Finished', waitMs: 5000 } as const;
  for (const { id } of jobs) void registry.watch(id, wait);
  t.like(await registry.watch(jobs[0]?.id ?? other.id, wait), { failure: { code: 'too_many_waiters' } });
  void registry.watch(other.id, wait);
  t.is(registry.stats().waiters, 65);
  t.like(await registry.watch(other.id, wait), { failure: { code: 'too_many_waiters' } });
  registry.close();
});

test('with bounds that are small nobody has little', async (t) => {
  const { registry } = createRegistry({ maxQueued: 2 });
  await accept(registry, { owner: greedy });
  await accept(registry, { owner: greedy });
  t.like(await registry.submit(newJob({ owner: modest })), { ok: false, failure: { code: 'queue_full' } });
});
