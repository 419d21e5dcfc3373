import test from 'ava';
import { type Failure, failed, success } from '#relay/failure.js';
import type { Job } from '#relay/job/job.js';
import { Following, type FollowingOptions } from '#relay/ws/following.js';
import { Turns } from '#relay/ws/turns.js';
import { FakeClock, settled } from '../helpers/fake_clock.js';
import { accept, answered, createRegistry } from '../helpers/jobs.js';

function follow({ registry, clock }: Pick<FollowingOptions, 'registry' | 'clock'>) {
  const pushed: Job[] = [];
  const lost: Failure[] = [];
  const bugs: unknown[] = [];
  const onBug = (error: unknown): number => bugs.push(error);
  const turns = new Turns(onBug);
  const following = new Following({
    registry,
    clock,
    turns,
    push: (job) => pushed.push(job),
    onLost: (_id, failure) => lost.push(failure),
    onBug,
  });
  return { following, turns, pushed, lost, bugs, versions: () => pushed.map(({ version }) => version) };
}

test('every change that the registry reports is pushed once', async (t) => {
  const parts = createRegistry();
  const { following, versions } = follow(parts);
  following.answered(await accept(parts.registry));
  await settled();
  parts.held.land(answered());
  await settled();
  t.deepEqual(versions(), [2, 3]);
  t.is(parts.registry.stats().waiters, 0);
});

test('what an answer has shown already is not pushed', async (t) => {
  const parts = createRegistry();
  const { following, turns, versions } = follow(parts);
  const job = await accept(parts.registry);
  following.answered(job);
  // The push of Processing waits for its turn while an answer shows it.
  let release: () => void = () => undefined;
  const inWork = turns.take(() => new Promise<void>((resolve) => (release = resolve)));
  await settled();
  const processing = await parts.registry.get(job.id);
  if (processing?.version !== 2) throw new Error('the attempt has not begun');
  following.answered(processing);
  release();
  await inWork;
  await settled();
  t.deepEqual(versions(), []);
  parts.held.land(answered());
  await settled();
  t.deepEqual(versions(), [3]);
});

test('a push that waits for its turn when an answer shows the end is dropped', async (t) => {
  const parts = createRegistry();
  const { following, turns, versions } = follow(parts);
  const job = await accept(parts.registry);
  following.answered(job);
  let release: () => void = () => undefined;
  void turns.take(() => new Promise<void>((resolve) => (release = resolve)));
  await settled();
  const finished = await parts.registry.cancel(job.id);
  if (!finished.ok) throw new Error('the job has gone');
  following.answered(finished.value);
  release();
  await settled();
  t.deepEqual(versions(), []);
  t.is(parts.registry.stats().waiters, 0);
});

test('a wait that ends unchanged after its time is taken up again', async (t) => {
  const { registry } = createRegistry();
  const clock = new FakeClock();
  const waits: number[] = [];
  const { following, pushed } = follow({
    clock,
    registry: {
      watch: async (id, { waitMs }) => {
        waits.push(waitMs);
        if (waits.length === 4) return new Promise(() => undefined);
        await clock.advance(waitMs);
        const job = await registry.get(id);
        return job === undefined ? failed({ code: 'unknown_job', detail: '' }) : success(job);
      },
    },
  });
  const job = await accept(registry);
  await settled();
  following.answered({ ...job, version: 2 });
  while (waits.length < 4) await settled();
  t.deepEqual(pushed, []);
  t.true(waits.every((waitMs) => waitMs > 3_600_000 && waitMs < 2 ** 31));
});

test('a registry that closes ends the following: nothing is asked again and again', async (t) => {
  const parts = createRegistry();
  const { following, versions, lost, bugs } = follow(parts);
  following.answered(await accept(parts.registry));
  await settled();
  parts.registry.close();
  await settled();
  t.deepEqual([versions(), lost, bugs], [[2], [], []]);
  t.is(parts.registry.stats().waiters, 0);
});
