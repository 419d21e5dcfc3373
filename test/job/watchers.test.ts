import test from 'ava';
import { type Entry, JobTable } from '#relay/job/job_table.js';
import { Watchers } from '#relay/job/watchers.js';
import { FakeClock, settled } from '../helpers/fake_clock.js';
import { begun, ended, pending } from '../helpers/stored_jobs.js';

function createWatched(maxWaiters = 10) {
  const clock = new FakeClock();
  const table = new JobTable({
    maxMemoryBytes: 1 << 20,
    maxKept: 1,
    resultTtlMs: 1,
    onForgotten: () => undefined,
  });
  const entry: Entry = table.add(pending(), 0);
  return { clock, entry, watchers: new Watchers(maxWaiters, clock) };
}

const change = { until: 'change', waitMs: 5000 } as const;

test('a job that nobody watches any more holds nothing for watchers', async (t) => {
  const { clock, entry, watchers } = createWatched();
  const [short, long] = [
    watchers.watch(entry, { ...change, waitMs: 1 }),
    watchers.watch(entry, { ...change, waitMs: 2 }),
  ];
  t.is(watchers.count, 2, 'a wait of a millisecond is one');
  const held = entry.waiters;
  await clock.advance(1);
  await short;
  t.is(watchers.count, 1);
  t.is(entry.waiters, held, 'somebody else still waits');
  await clock.advance(1);
  await long;
  t.is(watchers.count, 0);
  t.is(entry.waiters, undefined);
});

test('whoever watches again at once is told of the next change, though others leave behind them', async (t) => {
  const { entry, watchers } = createWatched();
  const seen: number[] = [];
  const follow = async (): Promise<void> => {
    for (;;) {
      const result = await watchers.watch(entry, { ...change, knownVersion: entry.job.version });
      if (!result.ok || result.value.state === 'Finished') return;
      seen.push(result.value.version);
    }
  };
  const followers = [follow(), follow(), follow()];
  for (const next of [begun, begun, (job: Entry['job']) => ended(job)]) {
    await settled();
    entry.job = next(entry.job);
    entry.waiters?.wake(entry.job);
  }
  await Promise.all(followers);
  t.deepEqual(seen, [2, 2, 2, 3, 3, 3]);
  t.is(watchers.count, 0);
});

test('whoever comes while others leave is not forgotten with them', async (t) => {
  const { entry, watchers } = createWatched();
  const [first, second] = [new AbortController(), new AbortController()];
  const leaving = [first, second].map(({ signal }) => watchers.watch(entry, { ...change, signal }));
  first.abort();
  // Between the two that leave: the first to go on finds nobody waiting, as the second has been let go by then.
  const coming = Promise.resolve().then(() => watchers.watch(entry, change));
  second.abort();
  await Promise.all(leaving);
  t.is(watchers.count, 1);
  entry.job = begun(entry.job);
  t.truthy(entry.waiters);
  entry.waiters?.wake(entry.job);
  t.like(await coming, { ok: true, value: { version: 2 } });
});

test('a job that has ended is answered at once, whatever was known and wanted', async (t) => {
  const { entry, watchers } = createWatched();
  entry.job = ended(begun(entry.job));
  for (const until of ['change', 'Finished'] as const) {
    const watched = watchers.watch(entry, { ...change, until, knownVersion: entry.job.version });
    t.is(watchers.count, 0);
    t.like(await watched, { ok: true, value: { state: 'Finished' } });
  }
});

test('when all places are taken, who waits for little gets another as soon as one of its waits is over', async (t) => {
  const { clock, entry, watchers } = createWatched(128);
  const modest: Entry = { ...entry, job: pending('{}', { owner: 'modest' }), waiters: undefined };
  for (let count = 0; count < 128; count += 1) void watchers.watch(entry, change);
  const full = { ok: false, failure: { code: 'too_many_waiters' } };
  for (let round = 0; round < 3; round += 1) {
    void watchers.watch(modest, { ...change, waitMs: 1 });
    // Only the first time: later the one of the round before still waits.
    if (round === 0) void watchers.watch(modest, { ...change, waitMs: 1000 });
    t.is(watchers.count, 130);
    t.like(await watchers.watch(modest, change), full);
    await clock.advance(1);
    t.is(watchers.count, 129);
  }
  await clock.advance(5000);
  t.is(watchers.count, 0);
});
