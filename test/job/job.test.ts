import test from 'ava';
import {
  type Job,
  type JobState,
  createJob,
  finish,
  isJobId,
  isLegalTransition,
  laneOf,
  parseJobId,
  startAttempt,
} from '#relay/job/job.js';
import { destination, newJob } from '../helpers/jobs.js';

const id = parseJobId('6f1a3c1e-2f7b-4f7a-9a6e-0c7a4b8d9e10') ?? raise();
const ended = { kind: 'gave_up', error: { code: 'timeout', message: 'late' } } as const;

function raise(): never {
  throw new Error('the id of this test is not valid');
}

function jobIn(state: JobState): Job {
  const pending = createJob(id, newJob(), 0);
  if (state === 'Pending') return pending;
  const processing = startAttempt(pending, 1);
  return state === 'Processing' ? processing : finish(processing, ended, 2);
}

const states = ['Pending', 'Processing', 'Finished'] as const;

for (const from of states) {
  for (const to of states) {
    test(`${from} → ${to} is ${isLegalTransition(from, to) ? 'made' : 'refused'}`, (t) => {
      // There is no way back to Pending, and nothing at all after Finished.
      const legal = to !== 'Pending' && from !== 'Finished';
      t.is(isLegalTransition(from, to), legal);
      if (to === 'Pending') return;
      const move = (): Job =>
        to === 'Processing' ? startAttempt(jobIn(from), 5) : finish(jobIn(from), ended, 5);
      if (!legal) {
        t.throws(move, { message: /illegal transition/ });
        return;
      }
      const after = move();
      t.is(after.state, to);
      t.is(after.version, jobIn(from).version + 1);
      t.is(after.updatedAtMs, 5);
    });
  }
}

test('an attempt is counted when it begins', (t) => {
  t.is(startAttempt(startAttempt(jobIn('Pending'), 1), 2).attempts, 2);
});

test('a finished job lets its data go and keeps its result', (t) => {
  const job = finish(startAttempt(createJob(id, newJob({ data: '{"a":1}' }), 0), 1), ended, 2);
  t.is(job.data, '');
  t.deepEqual(job.result, ended);
});

test('a finished job lets its headers go too, and keeps its purpose and its key with the digest of its data', (t) => {
  const from = newJob({
    data: '{"a":1}',
    headers: [['x-a', 'b']],
    purpose: 'a reason',
    idempotencyKey: 'k',
  });
  const begun = startAttempt(createJob(id, from, 0), 1);
  t.like(begun, { headers: [['x-a', 'b']], purpose: 'a reason' });
  // `printf '{"a":1}' | openssl dgst -sha256 -binary | base64`
  const idempotency = { key: 'k', dataDigest: 'AVq9f1zFei3ZS3WQ8ErYCEJzkF7jPsXOvq5iJ2qX+GI=' };
  const { headers, ...kept } = finish(begun, ended, 2);
  t.deepEqual(headers, []);
  t.like(kept, { purpose: 'a reason', idempotency });
});

test('an id is a UUID v4 in any case, and nothing else', (t) => {
  t.is(parseJobId('6F1A3C1E-2F7B-4F7A-9A6E-0C7A4B8D9E10'), id);
  for (const text of [
    '',
    'x',
    '00000000-0000-0000-0000-000000000000',
    '6f1a3c1e-2f7b-1f7a-9a6e-0c7a4b8d9e10',
    '6f1a3c1e-2f7b-4f7a-9a6e-0c7a4b8d9e1',
    '6f1a3c1e-2f7b-4f7a-9a6e-0c7a4b8d9e10 ',
    ' 6f1a3c1e-2f7b-4f7a-9a6e-0c7a4b8d9e10',
    '{6f1a3c1e-2f7b-4f7a-9a6e-0c7a4b8d9e10}',
    '6f1a3c1e2f7b4f7a9a6e0c7a4b8d9e10',
    '__proto__',
    // Lower-casing this sign (Kelvin) would give a plain k; here it must give nothing.
    '\u212a'.repeat(36),
  ]) {
    t.is(parseJobId(text), undefined, text);
    t.false(isJobId(text), text);
  }
  t.true(isJobId(id));
});

test('a lane is the owner and the origin, whatever the path', (t) => {
  const lane = (owner: string, uri: string): string => laneOf({ owner, destination: destination(uri) });
  t.is(lane('a', 'https://x.example/1'), lane('a', 'https://X.example:443/2'));
  t.not(lane('a', 'https://x.example/'), lane('b', 'https://x.example/'));
  t.not(lane('a', 'https://x.example/'), lane('a', 'https://x.example:444/'));
});
