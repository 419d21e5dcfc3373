import test from 'ava';
import { Retention } from '#relay/job/retention.js';
import { jobId } from '../helpers/stored_jobs.js';

test('a result that was read counts once among those that were, however often it is read', (t) => {
  const retention = new Retention(1000);
  t.deepEqual([retention.size, retention.bytes, retention.readBytes], [0, 0, 0]);
  const [first, second] = [retention.keep(jobId(), 0, 10), retention.keep(jobId(), 0, 5)];
  t.is(retention.oldestRead(), undefined);
  for (const kept of [second, second, first, second]) retention.markRead(kept);
  t.deepEqual([retention.size, retention.bytes, retention.readBytes], [2, 15, 15]);
  t.is(retention.oldest(), first.id);
  t.is(retention.oldestRead(), second.id);
  retention.forget(second);
  t.deepEqual([retention.size, retention.bytes, retention.readBytes], [1, 10, 10]);
  t.is(retention.oldestRead(), first.id);
  retention.forget(first);
  t.deepEqual([retention.size, retention.bytes, retention.readBytes], [0, 0, 0]);
  t.deepEqual([retention.oldest(), retention.oldestRead()], [undefined, undefined]);
});

test('a result expires when it was kept for so long', (t) => {
  t.is(new Retention(1000).keep(jobId(), 500, 1).expiresAtMs, 1500);
});
