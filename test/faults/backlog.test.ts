import test from 'ava';
import { eventually } from '../helpers/eventually.js';
import { outcomeOf } from '../helpers/misbehaviour.js';
import { startRawDestination } from '../helpers/raw_destination.js';
import { startRelay } from '../helpers/relay.js';

test('1,000 jobs for a destination that never answers delay no other lane, and hold one connection', async (t) => {
  const relay = await startRelay(t, ['--concurrency=4']);
  const silent = await startRawDestination(
    t,
    Array.from({ length: 10 }, () => () => undefined),
  );
  const working = await startRawDestination(t, []);
  for (let batch = 0; batch < 20; batch += 1) {
    await Promise.all(Array.from({ length: 50 }, () => relay.submit(silent.url)));
  }
  await eventually(() => silent.accepted() === 1);
  for (let job = 0; job < 20; job += 1) {
    const { json } = await relay.submit(working.url);
    t.like(outcomeOf(await relay.finished(json.id)), { status: '200 OK', attempts: 1 });
  }
  t.is(silent.accepted(), 1);
  t.like(relay.service.stats(), { pending: 999, processing: 1, finished: 20 });
});
