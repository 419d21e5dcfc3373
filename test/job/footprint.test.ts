import test from 'ava';
import { finishedBytes, unfinishedBytes, withoutBody } from '#relay/job/footprint.js';
import type { JobResult } from '#relay/job/job.js';
import { answered, newJob, uriBytes } from '../helpers/jobs.js';
import { pending } from '../helpers/stored_jobs.js';

const given = {
  owner: 'é',
  purpose: 'ünd',
  idempotencyKey: 'seven77',
  headers: [
    ['a', 'bcd'],
    ['ef', 'g'],
  ],
} as const;
/** Two, four and seven bytes. */
const lasting = 2 + 4 + 7 + uriBytes;

function answer(body: string, headers: Readonly<Record<string, string>> = {}): JobResult {
  const outcome = answered(200, { body, headers });
  if (outcome.kind !== 'answered') throw new Error('not answered');
  return outcome;
}

test('what a client decides counts: data, headers, owner, uri as written and as read, purpose and key', (t) => {
  t.is(unfinishedBytes(newJob({ ...given, dataBytes: 1000 })), 1000 + 7 + lasting);
  t.is(unfinishedBytes(pending('"ä"', given)), 4 + 7 + lasting);
  t.is(unfinishedBytes(newJob({ dataBytes: 1000 })), 1000 + uriBytes);
});

test('a result counts with its body and its headers, and what the job holds until it is forgotten', (t) => {
  t.is(finishedBytes(pending('{}', given), answer('ä', { abc: 'de' })), 2 + 5 + lasting);
  const gaveUp = { kind: 'gave_up', error: { code: 'timeout', message: 'it took too long' } } as const;
  t.is(finishedBytes(pending('{}', given), gaveUp), lasting);
});

test('without its body a result says that it was cut, and one that has none stays as it is', (t) => {
  const binary = answered(200, { body: 'AAAA', encoding: 'base64', headers: { a: 'b' } });
  if (binary.kind !== 'answered') throw new Error('not answered');
  t.deepEqual(withoutBody(binary), {
    kind: 'answered',
    answer: { statusCode: 200, headers: { a: 'b' }, body: '', encoding: 'utf-8', truncated: true },
  });
  const empty = answer('');
  t.is(withoutBody(empty), empty);
  const gaveUp = { kind: 'gave_up', error: { code: 'timeout', message: 'it took too long' } } as const;
  t.is(withoutBody(gaveUp), gaveUp);
});
