import test from 'ava';
import { eventually } from '../helpers/eventually.js';
import { accept, createRegistry, stateOf } from '../helpers/jobs.js';

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
