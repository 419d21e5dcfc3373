import test from 'ava';
import { IdempotencyIndex } from '#relay/job/idempotency.js';
import { createJob, newJobId } from '#relay/job/job.js';
import { settled } from '../helpers/fake_clock.js';
import { accept, answered, createRegistry, destination, newJob, uriBytes } from '../helpers/jobs.js';

const keyed = { idempotencyKey: 'one' };

test('the same key and data give the same job, while it waits, flies and is kept', async (t) => {
  const { registry, held } = createRegistry();
  const { id } = await accept(registry, keyed);
  t.is((await accept(registry, keyed)).id, id);
  await settled();
  t.like(await accept(registry, keyed), { id, state: 'Processing' });
  held.land(answered(201));
  await settled();
  t.like(await accept(registry, keyed), { id, state: 'Finished', result: { kind: 'answered' } });
  t.is(held.begun.length, 1);
});

test('two submissions at once with one key are one job', async (t) => {
  const { registry, held } = createRegistry();
  const jobs = await Promise.all(Array.from({ length: 50 }, () => accept(registry, keyed)));
  t.is(new Set(jobs.map(({ id }) => id)).size, 1);
  await settled();
  t.is(held.begun.length, 1);
  t.is(registry.stats().processing, 1);
});

test('the same key with other data is a conflict, also after the job has finished and let its data go', async (t) => {
  const { registry, held } = createRegistry();
  await accept(registry, keyed);
  const other = newJob({ ...keyed, data: '[]' });
  const conflict = { ok: false, failure: { code: 'idempotency_conflict' } } as const;
  t.like(await registry.submit(other), conflict);
  await settled();
  held.land(answered());
  await settled();
  t.like(await registry.submit(other), conflict);
  t.is(registry.stats().finished, 1);
});

for (const [change, why] of [
  [{ owner: 'another' }, 'another owner'],
  [{ destination: destination('https://receiver.example/other') }, 'another uri'],
  [{ idempotencyKey: 'two' }, 'another key'],
] as const) {
  test(`${why} makes another job`, async (t) => {
    const { registry } = createRegistry();
    const first = await accept(registry, keyed);
    const second = await accept(registry, { ...keyed, ...change });
    t.not(second.id, first.id);
  });
}

test('owner, uri and key cannot be shifted into one another', async (t) => {
  const { registry } = createRegistry();
  const one = await accept(registry, { owner: 'a","https://receiver.example/in', idempotencyKey: 'k' });
  const two = await accept(registry, { owner: 'a', idempotencyKey: 'https://receiver.example/in","k' });
  t.not(one.id, two.id);
});

test('two spellings of one uri are one uri', async (t) => {
  const { registry } = createRegistry();
  const { id } = await accept(registry, keyed);
  const respelt = destination('https://RECEIVER.example:443/x/../in');
  t.is((await accept(registry, { ...keyed, destination: respelt })).id, id);
});

test('a repetition is answered while lane, queue and memory are full and the relay stops', async (t) => {
  for (const limit of [{ maxQueued: 1 }, { maxQueuedPerLane: 1 }, { maxMemoryBytes: 5 + uriBytes }]) {
    const { registry } = createRegistry(limit);
    const { id } = await accept(registry, keyed);
    t.false((await registry.submit(newJob())).ok);
    t.is((await accept(registry, keyed)).id, id);
    t.is(await registry.check(newJob(keyed)), undefined);
    registry.close();
    t.is((await accept(registry, keyed)).id, id);
  }
});

test('a key is free again when its job is forgotten', async (t) => {
  const { registry, held, clock } = createRegistry({ resultTtlMs: 60_000 });
  const first = await accept(registry, keyed);
  await settled();
  held.land(answered());
  await clock.advance(59_000);
  t.is((await accept(registry, keyed)).id, first.id);
  await clock.advance(2000);
  const second = await accept(registry, { ...keyed, data: '[]' });
  t.not(second.id, first.id);
});

test('the index holds nothing of a job that was forgotten', (t) => {
  const index = new IdempotencyIndex();
  const job = createJob(newJobId(), newJob(keyed), 0);
  index.add(job);
  t.is(index.find(newJob(keyed)), job.id);
  index.forget(job);
  t.is(index.find(newJob(keyed)), undefined);
});

test('a key whose job made way for another is free again', async (t) => {
  const { registry, held } = createRegistry({ maxKept: 1 });
  const first = await accept(registry, keyed);
  await accept(registry);
  for (let landed = 0; landed < 2; landed += 1) {
    await settled();
    held.land(answered());
  }
  await settled();
  t.not((await accept(registry, keyed)).id, first.id);
});

test('a check says what a submission would, and changes nothing', async (t) => {
  const { registry } = createRegistry({ maxQueuedPerLane: 1 });
  t.is(await registry.check(newJob()), undefined);
  t.is(registry.stats().pending, 0);
  await accept(registry, keyed);
  t.like(await registry.check(newJob()), { code: 'lane_full' });
  t.like(await registry.check(newJob({ ...keyed, data: '[]' })), { code: 'idempotency_conflict' });
  registry.close();
  t.like(await registry.check(newJob()), { code: 'shutting_down' });
});
