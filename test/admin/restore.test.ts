import test from 'ava';
import { createJob, finish, newJobId, startAttempt } from '#relay/job/job.js';
import {
  accepted,
  attempted,
  ended,
  endedRows,
  gaveUp,
  ledgerOf,
  nowMs,
  ok,
  openRows,
} from '../helpers/admin_ledger.js';
import { newJob } from '../helpers/jobs.js';

test('what a journal brings back, finished or not, is shown as it stands', async (t) => {
  const ledger = ledgerOf();
  const finished = finish(startAttempt(createJob(newJobId(), newJob(), nowMs), nowMs), ok(204), nowMs);
  await ledger.restore([finished, startAttempt(createJob(newJobId(), newJob(), nowMs), nowMs)]);
  t.like(endedRows(ledger)[0], { outcome: 'delivered', status: 204 });
  t.like(ledger.figures(), { pending: 0, processing: 1 });
});

test('what ended before the start is shown in the order in which it ended, and the oldest makes room', async (t) => {
  const ledger = ledgerOf(3);
  const jobs = [50, 20, 40, 10, 30].map((ms) =>
    finish(startAttempt(createJob(newJobId(), newJob(), nowMs), nowMs), ok(), nowMs + ms),
  );
  await ledger.restore(jobs);
  const lastThree = [0, 2, 4].map((at) => jobs[at]?.id.slice(0, 8));
  t.deepEqual(
    endedRows(ledger).map(({ ref }) => ref),
    lastThree,
  );
});

test('what becomes of jobs while others are still brought back is shown once, and stays', async (t) => {
  const ledger = ledgerOf();
  const jobs = Array.from({ length: 1200 }, () => createJob(newJobId(), newJob(), nowMs));
  const [begins, ends] = [jobs[1100], jobs[1150]];
  if (begins === undefined || ends === undefined) throw new Error('there are more jobs than that');
  const restored = ledger.restore(jobs);
  attempted(ledger, begins);
  ended(ledger, ends, gaveUp('cancelled'));
  accepted(ledger);
  t.like(ledger.figures(), { pending: 1, processing: 1, outcomes: { cancelled: 1 } });
  await restored;
  t.like(ledger.figures(), { pending: 1199, processing: 1, outcomes: { cancelled: 1 } });
  t.is(openRows(ledger).length, 1200);
  t.is(openRows(ledger).filter(({ state }) => state === 'Processing').length, 1);
  t.is(endedRows(ledger).length, 1);
  ended(ledger, begins, ok());
  t.like(ledger.figures(), { pending: 1199, processing: 0 });
});

test('jobs that are brought back leave turns to others in between', async (t) => {
  const ledger = ledgerOf();
  const restored = ledger.restore(Array.from({ length: 2000 }, () => createJob(newJobId(), newJob(), nowMs)));
  const seen: number[] = [];
  const look = (): void => {
    seen.push(ledger.figures().pending);
    if (seen.length < 3) setImmediate(look);
  };
  setImmediate(look);
  await restored;
  t.deepEqual(seen, [500, 1000, 1500]);
});
