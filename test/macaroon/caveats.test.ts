import { createHmac } from 'node:crypto';
import MacaroonsBuilder from 'macaroons.js/lib/MacaroonsBuilder.js';
import test from 'ava';
import {
  checkDestination,
  checkJob,
  checkRequest,
  expiresAtMs,
  namesDestination,
  requestRefusal,
} from '#relay/macaroon/caveats.js';
import { parseCaveat, type Predicate } from '#relay/macaroon/predicate.js';
import { destination, digest, request, submission, uuid, verdict } from '../helpers/macaroon_facts.js';
import { testSecret, verified, verifiedToken } from '../helpers/macaroons.js';
import { packet, tokenOf } from '../helpers/packets.js';

const uri = destination('https://example.com/in/box');

const never = [
  { caveat: 'observe = /export', why: 'it is not of this service' },
  { caveat: 'path=/lp/export', why: 'it lacks its spaces' },
  { caveat: 'action = submit|read', why: 'one of its words is unknown' },
  { caveat: 'bytes <= 1mb', why: 'it is no number' },
  { caveat: `sha256 = ${digest}00`, why: 'it is no digest' },
  { caveat: 'job = any', why: 'it is no id' },
];

for (const { caveat, why } of never) {
  test(`${caveat} is refused before the body is read: ${why}`, (t) => {
    const result = checkRequest(verified(caveat), request);
    t.false(result.satisfied);
    if (!result.satisfied) t.is(result.caveat, caveat);
  });
}

test('a third-party caveat is never satisfied, though the signature holds', (t) => {
  const minted = new MacaroonsBuilder('', testSecret, '')
    .add_third_party_caveat('https://third.example', 'its key', 'path = /lp/export')
    .getMacaroon();
  t.deepEqual(
    checkRequest(verifiedToken(minted.serialize()), request),
    verdict('third-party caveat path = /lp/export', 'this relay takes no discharge macaroons'),
  );
});

test('a caveat that is not UTF-8 is never satisfied, though the signature holds', (t) => {
  const before = new MacaroonsBuilder('', testSecret, '').getMacaroon().signatureBuffer;
  const cid = Buffer.from([0x70, 0xff]);
  const token = tokenOf(
    packet('location', ''),
    packet('identifier', ''),
    packet('cid', cid),
    packet('signature', createHmac('sha256', before).update(cid).digest()),
  );
  t.deepEqual(checkRequest(verifiedToken(token), request), verdict('0x70ff', 'it is not UTF-8'));
});

test('the first caveat that is not satisfied is named', (t) => {
  const macaroon = verified('method = POST', 'path = /a', 'target = b', 'path = /c');
  t.deepEqual(checkRequest(macaroon, request), verdict('path = /a', 'the request\'s path is "/lp/export"'));
  const jobs = verified('bytes <= 11', 'action = poll');
  t.deepEqual(checkJob(jobs, submission), verdict('bytes <= 11', 'data is 12 bytes long'));
});

test('all caveats of one kind must be satisfied, not one of them', (t) => {
  t.true(checkRequest(verified('path = /lp/*', 'path = /lp/export'), request).satisfied);
  t.false(checkRequest(verified('path = /lp/*', 'path = /export'), request).satisfied);
  t.false(checkJob(verified('action = submit', 'action = poll'), submission).satisfied);
  t.false(
    checkDestination(verified('destination = https://example.com/*', 'destination = https://a/'), uri)
      .satisfied,
  );
});

test('a macaroon without caveats is satisfied by everything', (t) => {
  const macaroon = verified();
  t.true(checkRequest(macaroon, request).satisfied);
  t.true(checkJob(macaroon, submission).satisfied);
  t.true(checkDestination(macaroon, uri).satisfied);
});

test('every kind of caveat is refused by a stage', (t) => {
  const wrong = {
    target: 'target = x',
    path: 'path = /x',
    method: 'method = X',
    time: 'time < 2000-01-01T00:00:00Z',
    destination: 'destination = https://x/',
    job: `job = ${uuid}`,
    action: 'action = poll',
    bytes: 'bytes <= 0',
    sha256: `sha256 = ${'0'.repeat(64)}`,
    unknown: 'mood = good',
  } satisfies Record<Exclude<Predicate['kind'], 'third-party'>, string>;
  for (const [kind, caveat] of Object.entries(wrong)) {
    t.deepEqual([parseCaveat(caveat).kind], [kind]);
    const macaroon = verified(caveat);
    const verdicts = [
      checkRequest(macaroon, request),
      checkJob(macaroon, submission),
      checkDestination(macaroon, uri),
    ];
    t.is(verdicts.filter(({ satisfied }) => !satisfied).length, 1, caveat);
  }
});

test('a reason escapes what came from the client and cuts it', (t) => {
  const result = checkRequest(verified('path = /export'), { ...request, path: `/\n${'a'.repeat(5000)}` });
  t.deepEqual(result, verdict('path = /export', `the request's path is "/\\n${'a'.repeat(118)}"…`));
  const whole = `/${'a'.repeat(119)}`;
  t.deepEqual(
    checkRequest(verified('path = /export'), { ...request, path: whole }),
    verdict('path = /export', `the request's path is "${whole}"`),
  );
});

test('checking a satisfied macaroon makes no new verdict', (t) => {
  t.is(checkRequest(verified('path = /lp/*'), request), checkRequest(verified(), request));
});

test('a macaroon expires with the earliest of its time caveats', (t) => {
  t.is(expiresAtMs(verified('path = /export')), undefined);
  t.is(expiresAtMs(verified('time < 1970-01-01T00:00:02Z')), 2000);
  t.is(expiresAtMs(verified('time < 1970-01-01T00:00:02Z', 'time < 1970-01-01T00:00:01Z')), 1000);
  t.is(expiresAtMs(verified('time < 1970-01-01T00:00:01Z', 'time < 1970-01-01T00:00:02Z')), 1000);
});

test('a macaroon is seen to name a destination', (t) => {
  t.false(namesDestination(verified('path = /export', 'method = POST')));
  t.true(namesDestination(verified('path = /export', 'destination = https://example.com/')));
});

test('a caveat of another stage is not judged by the request', (t) => {
  t.is(requestRefusal(parseCaveat(`job = ${uuid}`), request), undefined);
  t.is(requestRefusal(parseCaveat('destination = https://a/'), request), undefined);
});
