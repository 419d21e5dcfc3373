import test from 'ava';
import { settled } from '../helpers/fake_clock.js';
import { accept, answered, createRegistry } from '../helpers/jobs.js';

test('it is known whether anything is being delivered', async (t) => {
  const { registry, held } = createRegistry();
  t.false(registry.isDelivering);
  await accept(registry);
  await settled();
  t.true(registry.isDelivering);
  held.land(answered());
  await settled();
  t.false(registry.isDelivering);
  registry.close();
});
