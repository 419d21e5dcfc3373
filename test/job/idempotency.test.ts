import test from 'ava';
import { IdempotencyIndex } from '#relay/job/idempotency.js';
import { createJob, newJobId } from '#relay/job/job.js';
import { accept, createRegistry, destination, newJob, uriBytes } from '../helpers/jobs.js';

const keyed = { idempotencyKey: 'one' };

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

test('the index holds nothing of a job that was forgotten', (t) => {
  const index = new IdempotencyIndex();
  const job = createJob(newJobId(), newJob(keyed), 0);
  index.add(job);
  t.is(index.find(newJob(keyed)), job.id);
  index.forget(job);
  t.is(index.find(newJob(keyed)), undefined);
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
