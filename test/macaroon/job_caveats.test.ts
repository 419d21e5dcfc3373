import test from 'ava';
import { checkJob, type JobFacts } from '#relay/macaroon/caveats.js';
import {
  cancellation,
  digest,
  otherUuid,
  poll,
  type Row,
  submission,
  uuid,
  verdict,
} from '../helpers/macaroon_facts.js';
import { verified } from '../helpers/macaroons.js';

const jobRows: readonly Row<JobFacts>[] = [
  { caveat: `job = ${uuid}`, facts: poll, refusal: undefined, why: 'it is about that job' },
  { caveat: `job = ${uuid}`, facts: cancellation, refusal: undefined, why: 'it is about that job' },
  { caveat: `job = ${uuid.toUpperCase()}`, facts: poll, refusal: undefined, why: 'case does not count' },
  {
    caveat: `job = ${uuid}`,
    facts: { action: 'poll', jobId: uuid.toUpperCase() },
    refusal: undefined,
    why: 'case does not count',
  },
  {
    caveat: `job = ${otherUuid}`,
    facts: poll,
    refusal: `the request is about the job "${uuid}"`,
    why: 'it is about another job',
  },
  {
    caveat: `job = ${uuid}`,
    facts: submission,
    refusal: 'the request submits a new job',
    why: 'a submission has no id yet',
  },
  { caveat: 'action = submit', facts: submission, refusal: undefined, why: 'it submits' },
  { caveat: 'action = poll', facts: poll, refusal: undefined, why: 'it polls' },
  { caveat: 'action = cancel', facts: cancellation, refusal: undefined, why: 'it cancels' },
  { caveat: 'action = submit|poll', facts: poll, refusal: undefined, why: 'one of two is enough' },
  {
    caveat: 'action = poll',
    facts: submission,
    refusal: 'the request\'s action is "submit"',
    why: 'it submits',
  },
  {
    caveat: 'action = submit|poll',
    facts: cancellation,
    refusal: 'the request\'s action is "cancel"',
    why: 'neither of two is enough',
  },
  { caveat: 'bytes <= 12', facts: submission, refusal: undefined, why: 'the limit is included' },
  { caveat: 'bytes <= 99999999999999999999', facts: submission, refusal: undefined, why: 'it is huge' },
  { caveat: 'bytes <= 11', facts: submission, refusal: 'data is 12 bytes long', why: 'it is one too many' },
  { caveat: 'bytes <= 0', facts: submission, refusal: 'data is 12 bytes long', why: 'zero is a limit' },
  { caveat: 'bytes <= 0', facts: poll, refusal: undefined, why: 'a poll sends no data' },
  { caveat: 'bytes <= 0', facts: cancellation, refusal: undefined, why: 'a cancellation sends no data' },
  { caveat: `sha256 = ${digest}`, facts: submission, refusal: undefined, why: 'it is the digest' },
  { caveat: `sha256 = ${digest.toUpperCase()}`, facts: submission, refusal: undefined, why: 'case is free' },
  {
    caveat: `sha256 = ${'0'.repeat(64)}`,
    facts: submission,
    refusal: `data's SHA-256 is ${digest}`,
    why: 'it is another digest',
  },
  { caveat: `sha256 = ${'0'.repeat(64)}`, facts: poll, refusal: undefined, why: 'a poll sends no data' },
];

for (const { caveat, facts = submission, refusal, why } of jobRows) {
  const outcome = refusal === undefined ? 'satisfied' : 'refused';
  test(`${caveat} is ${outcome} for ${describeJob(facts)}: ${why}`, (t) => {
    t.deepEqual(checkJob(verified(caveat), facts), verdict(caveat, refusal));
  });
}

test('the digest of the data is computed only where a caveat asks for it', (t) => {
  let computed = 0;
  const facts: JobFacts = {
    action: 'submit',
    data: {
      bytes: 12,
      sha256Hex: () => {
        computed += 1;
        return digest;
      },
    },
  };
  checkJob(verified('action = submit', 'bytes <= 100'), facts);
  t.is(computed, 0);
  checkJob(verified(`sha256 = ${digest}`), facts);
  t.is(computed, 1);
});

function describeJob(facts: JobFacts): string {
  return facts.action === 'submit' ? 'a submission' : `a ${facts.action} of ${facts.jobId}`;
}
