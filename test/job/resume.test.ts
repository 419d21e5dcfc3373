import test from 'ava';
import { endAttempt, type Job } from '#relay/job/job.js';
import { interruptionsOf, maxInterruptions, resumptionOf } from '#relay/job/resume.js';
import { settled } from '../helpers/fake_clock.js';
import { answered } from '../helpers/jobs.js';
import { begun, ended, pending } from '../helpers/stored_jobs.js';
import { createStored, flying, restarted } from '../helpers/stored_registry.js';

const waiting = pending();
const nowMs = waiting.createdAtMs;

/** The job after an attempt that another one is to follow in half a second. */
function retried(job: Job): Job {
  return endAttempt(begun(job), 503, nowMs, 500);
}

test('a result, and a job that waits, are as old as the wall clock says, and never negatively so', (t) => {
  const done = ended(begun(waiting));
  for (const [awayMs, ageMs] of [
    [-1000, 0],
    [0, 0],
    [1, 1],
    [5000, 5000],
  ] as const) {
    t.deepEqual(resumptionOf(waiting, nowMs + awayMs), { kind: 'queued', ageMs });
    t.like(resumptionOf(done, done.updatedAtMs + awayMs), { kind: 'kept', ageMs });
  }
});

test('a job that was to be tried again is due when it was to be, and no later however the clock was set', (t) => {
  const job = retried(waiting);
  for (const [awayMs, delayMs] of [
    [-60_000, 500],
    [0, 500],
    [499, 1],
    [500, 0],
    [60_000, 0],
  ] as const) {
    t.deepEqual(resumptionOf(job, nowMs + awayMs), { kind: 'continued', job, delayMs });
  }
});

test('a job whose last attempt left no word of another is due at once', (t) => {
  const job: Job = {
    ...begun(waiting),
    attemptRecords: [{ begunAtMs: nowMs, endedAtMs: nowMs + 5, result: 503, retryInMs: undefined }],
  };
  t.deepEqual(resumptionOf(job, nowMs), { kind: 'continued', job, delayMs: 0 });
});

test('an attempt that was cut off is marked, and the next one is due at once, so many times', (t) => {
  let job = begun(retried(waiting));
  for (let count = 1; count <= maxInterruptions; count += 1) {
    const resumption = resumptionOf(job, nowMs + 700);
    t.like(resumption, { kind: 'continued', delayMs: 0 });
    if (resumption.kind !== 'continued') return;
    t.is(interruptionsOf(resumption.job), count);
    t.like(resumption.job.attemptRecords.at(-1), {
      endedAtMs: nowMs + 700,
      result: 'interrupted',
      retryInMs: 0,
    });
    job = begun(resumption.job);
  }
  t.like(resumptionOf(job, nowMs), {
    kind: 'given_up',
    result: { kind: 'gave_up', error: { code: 'interrupted' } },
  });
});

test('of results that come back the one that ended first goes first, whichever was accepted first', async (t) => {
  const before = createStored(t, { laneConcurrency: 2 });
  const last = await flying(before);
  await flying(before);
  before.held.flights.reverse();
  before.held.land(answered());
  await before.clock.advance(10);
  before.held.land(answered());
  await settled();
  const after = restarted(t, before, 0, { maxKept: 1 });
  await settled();
  t.deepEqual([...after.store.jobs.keys()], [last.id]);
});
