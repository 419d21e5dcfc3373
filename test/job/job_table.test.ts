import test from 'ava';
import { finish, type JobId, type JobResult } from '#relay/job/job.js';
import { type Entry, JobTable, type JobTableOptions } from '#relay/job/job_table.js';
import { answered, destination, newJob, uriBytes } from '../helpers/jobs.js';
import { jobId, pending } from '../helpers/stored_jobs.js';

function answer(bytes: number): JobResult {
  const outcome = answered(200, { body: 'x'.repeat(bytes) });
  if (outcome.kind !== 'answered') throw new Error('not answered');
  return outcome;
}

/** Room for two jobs and a hundred bytes of theirs. */
function createTable(overrides: Partial<JobTableOptions> = {}) {
  const forgotten: JobId[] = [];
  const table = new JobTable({
    maxMemoryBytes: 2 * uriBytes + 100,
    maxKept: 10,
    resultTtlMs: 1000,
    onForgotten: (id) => forgotten.push(id),
    ...overrides,
  });
  const add = (bytes: number): Entry => table.add(pending('x'.repeat(bytes)), 0);
  /** As the registry ends a job. */
  const end = (entry: Entry, bytes: number, nowMs = 0): void => {
    table.leaveQueue(entry);
    const result = table.fit(entry, answer(bytes));
    table.keep(entry, finish(entry.job, result, nowMs), result, nowMs);
  };
  return { table, add, end, forgotten };
}

test('a job that nobody has seen leaves nothing behind', (t) => {
  const { table } = createTable();
  const keyed = { idempotencyKey: 'one' };
  const entry = table.add(pending('{}', keyed), 0);
  t.is(table.submittedBefore(newJob(keyed)), entry);
  table.drop(entry);
  t.is(table.get(entry.job.id), undefined);
  t.deepEqual([...table.entries()], []);
  t.is(table.submittedBefore(newJob(keyed)), undefined);
  t.deepEqual([table.pending, table.processing, table.finished, table.bytes], [0, 0, 0, 0]);
});

test('an answer that just fits pushes no other out, and keeps its body', (t) => {
  const { table, add, end, forgotten } = createTable();
  const first = add(10);
  end(first, 40);
  table.markRead(first.job.id);
  const second = add(10);
  end(second, 60);
  t.deepEqual(forgotten, []);
  t.like(second.job, { state: 'Finished', result: { answer: { truncated: false } } });
  t.is(table.bytes, 2 * uriBytes + 100);
});

test('an answer that does not fit pushes out one that was read, and else is kept without its body', (t) => {
  for (const isRead of [true, false]) {
    const { table, add, end, forgotten } = createTable();
    const first = add(10);
    end(first, 40);
    if (isRead) table.markRead(first.job.id);
    const second = add(10);
    end(second, 61);
    t.deepEqual(forgotten, isRead ? [first.job.id] : []);
    t.like(second.job, { result: { answer: { truncated: !isRead } } });
    t.is(table.bytes, isRead ? uriBytes + 61 : 2 * uriBytes + 40);
  }
});

test('until its end is seen a job counts with the larger of its data and its answer', (t) => {
  for (const [data, result, held] of [
    [10, 60, 60],
    [60, 10, 60],
  ] as const) {
    const { table, add } = createTable();
    const entry = add(data);
    table.leaveQueue(entry);
    const kept = table.fit(entry, answer(result));
    t.is(table.bytes, uriBytes + held);
    table.keep(entry, finish(entry.job, kept, 0), kept, 0);
    t.is(table.bytes, uriBytes + result);
  }
});

test('beyond the number that is kept, a result that was read goes before an older one', (t) => {
  const { table, add, end, forgotten } = createTable({ maxKept: 2, maxMemoryBytes: 1 << 20 });
  const entries = [0, 1, 2, 3].map(() => {
    const entry = add(1);
    end(entry, 1);
    return entry.job.id;
  });
  const [oldest, , third] = entries;
  table.markRead(third ?? jobId());
  table.evictSurplus();
  t.deepEqual(forgotten, [third, oldest]);
});

test('a result goes at the very moment at which its time is over', (t) => {
  const { table, add, end, forgotten } = createTable();
  const entry = add(1);
  end(entry, 1, 500);
  table.evictExpired(1499);
  t.deepEqual(forgotten, []);
  table.evictExpired(1500);
  t.deepEqual(forgotten, [entry.job.id]);
});

test('that somebody has read what is not kept is of no consequence', (t) => {
  const { table, add } = createTable();
  const entry = add(1);
  table.markRead(entry.job.id);
  table.markRead(jobId());
  t.is(table.get(entry.job.id), entry);
});

test('what an account has is counted from the first of it to the last', (t) => {
  const { table, end } = createTable({ maxMemoryBytes: 1 << 20 });
  const own = newJob({ owner: 'a', dataBytes: 0 });
  /** Its unfinished jobs, those of them in this lane, and its bytes, without what the next job would add. */
  const account = (): readonly number[] => {
    const { unfinishedOfAccount, unfinishedInLane, bytesOfAccount } = table.loadFor(own);
    return [unfinishedOfAccount, unfinishedInLane, bytesOfAccount - (uriBytes + 1)];
  };
  const each = uriBytes + 1;
  const elsewhere = destination('https://receiver.examplf/in');
  const [first, second, third] = [
    table.add(pending('12345', { owner: 'a' }), 0),
    table.add(pending('12345', { owner: 'a' }), 0),
    table.add(pending('', { owner: 'a', destination: elsewhere }), 0),
  ];
  table.add(pending('12345', { owner: 'b' }), 0);
  t.deepEqual(account(), [3, 2, 3 * each + 10]);
  table.drop(second);
  t.deepEqual(account(), [2, 1, 2 * each + 5]);
  end(first, 7);
  t.deepEqual(account(), [1, 0, 2 * each + 7]);
  table.evictExpired(1000);
  t.deepEqual(account(), [1, 0, each]);
  end(third, 0);
  t.deepEqual(account(), [0, 0, each]);
  table.evictExpired(1000);
  t.deepEqual(account(), [0, 0, 0]);
});

test('an answer in the place of its data makes no more of who has little', (t) => {
  for (const [bytes, truncated] of [
    [1000 - uriBytes - 1, false],
    [1000 - uriBytes, true],
  ] as const) {
    const { table, add, end } = createTable({ maxMemoryBytes: 64_000 });
    add(64_000);
    const modest = table.add(pending('x'.repeat(600), { owner: 'a' }), 0);
    end(modest, bytes);
    t.like(modest.job, { result: { answer: { truncated } } });
  }
});
