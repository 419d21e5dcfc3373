import { getEventListeners } from 'node:events';
import test from 'ava';
import { JobWaiters } from '#relay/job/waiters.js';
import { FakeClock } from '../helpers/fake_clock.js';
import { begun, ended, pending } from '../helpers/stored_jobs.js';

test('whatever ends a wait, nothing of it is left: no waiter, no timer, no listener', async (t) => {
  const job = begun(pending());
  const ends: readonly ((waiters: JobWaiters, clock: FakeClock, gone: AbortController) => unknown)[] = [
    (waiters) => waiters.wake(job),
    (waiters) => waiters.wake(ended(job)),
    (waiters) => waiters.releaseAll(),
    (_waiters, clock) => clock.advance(5000),
    (_waiters, _clock, gone) => gone.abort(),
  ];
  for (const [index, end] of ends.entries()) {
    const [waiters, clock, gone] = [new JobWaiters(), new FakeClock(), new AbortController()];
    const waited = waiters.wait({ until: 'change', waitMs: 5000, signal: gone.signal }, clock);
    t.deepEqual([waiters.size, clock.armed, getEventListeners(gone.signal, 'abort').length], [1, 1, 1]);
    await end(waiters, clock, gone);
    await waited;
    t.deepEqual(
      [waiters.size, clock.armed, getEventListeners(gone.signal, 'abort').length],
      [0, 0, 0],
      `the end number ${index}`,
    );
  }
});
