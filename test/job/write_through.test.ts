import test from 'ava';
import { WriteThrough } from '#relay/job/write_through.js';
import { FakeClock, settled } from '../helpers/fake_clock.js';
import { ScriptedStore } from '../helpers/scripted_store.js';
import { pending } from '../helpers/stored_jobs.js';

test('what goes in one turn of the event loop goes from the store at once, and together', async (t) => {
  const jobs = [pending(), pending(), pending()];
  const store = new ScriptedStore(new Map(jobs.map((job) => [job.id, job])));
  const through = new WriteThrough(store, new FakeClock());
  const [first, second, third] = jobs;
  for (const job of [first, second]) through.remove(job?.id ?? pending().id);
  await settled();
  t.deepEqual(store.calls, ['remove']);
  t.deepEqual([...store.jobs.keys()], [third?.id]);
  through.remove(third?.id ?? pending().id);
  await settled();
  t.deepEqual(store.calls, ['remove', 'remove']);
  t.is(store.jobs.size, 0);
});

test('without a store nothing has to be waited for', async (t) => {
  const through = new WriteThrough(undefined, new FakeClock());
  t.is(through.put(pending()), undefined);
  through.remove(pending().id);
  through.sweep();
  await through.onQuiet(5000);
  await settled();
});
