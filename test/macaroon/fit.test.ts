import test from 'ava';
import { type DescribedRequest, fitOf } from '#relay/macaroon/fit.js';
import { parseCaveat, toPredicate } from '#relay/macaroon/predicate.js';
import { digest, uuid } from '../helpers/macaroon_facts.js';

const nothing: DescribedRequest = {
  target: undefined,
  path: undefined,
  method: undefined,
  destination: undefined,
  action: undefined,
  jobId: undefined,
  bytes: undefined,
  sha256Hex: undefined,
  nowMs: 0,
};

test('a third-party caveat is refused, whatever the request', (t) => {
  const bytes = Buffer.from('x');
  const caveat = toPredicate({ kind: 'third-party', cid: bytes, vid: bytes, location: undefined });
  t.deepEqual(fitOf(caveat, nothing), {
    kind: 'refused',
    reason: 'this relay takes no discharge macaroons',
  });
});

test('a caveat on data is satisfied by what submits none, and open for what may submit some', (t) => {
  for (const [text, missing] of [
    ['bytes <= 10', 'bytes'],
    [`sha256 = ${digest}`, 'data'],
  ] as const) {
    const caveat = parseCaveat(text);
    t.deepEqual(fitOf(caveat, { ...nothing, action: 'poll' }), { kind: 'satisfied' });
    t.deepEqual(fitOf(caveat, { ...nothing, jobId: uuid }), { kind: 'satisfied' });
    t.deepEqual(fitOf(caveat, nothing), { kind: 'open', missing });
    t.deepEqual(fitOf(caveat, { ...nothing, action: 'submit', jobId: uuid }), { kind: 'open', missing });
  }
});
