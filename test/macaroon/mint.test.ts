import test from 'ava';
import fc from 'fast-check';
import {
  checkDestination,
  checkJob,
  checkRequest,
  type JobFacts,
  type RequestFacts,
} from '#relay/macaroon/caveats.js';
import { attenuateMacaroon, mintMacaroon } from '#relay/macaroon/mint.js';
import { decodeMacaroon } from '#relay/macaroon/token.js';
import { MacaroonVerifier, type VerifiedMacaroon } from '#relay/macaroon/verify.js';
import { destination, digest, otherUuid, submission, uuid } from '../helpers/macaroon_facts.js';
import { mint, testSecret, verifiedToken } from '../helpers/macaroons.js';
import { packet, tokenOf } from '../helpers/packets.js';

const recipe = { secret: testSecret, identifier: 'an app', location: 'https://arbiter:8080', caveats: [] };

test('a minted macaroon is verified with its secret and no other', (t) => {
  const token = mint(['path = /export']);
  t.truthy(new MacaroonVerifier({ secrets: [testSecret], cacheEntries: 1 }).verify(token));
  t.is(new MacaroonVerifier({ secrets: ['other'], cacheEntries: 1 }).verify(token), undefined);
});

test('a macaroon keeps its identifier, location and caveats', (t) => {
  const decoded = decodeMacaroon(mint(['path = /export', 'note = ü\n']));
  if (!decoded.ok) return t.fail(decoded.reason);
  t.is(decoded.macaroon.identifier, 'an app');
  t.is(decoded.macaroon.location, 'https://arbiter:8080');
  t.deepEqual(
    decoded.macaroon.caveats.map((caveat) => caveat.kind === 'first-party' && caveat.text),
    ['path = /export', 'note = ü\n'],
  );
});

test('nothing is minted that the relay would not read', (t) => {
  const reasonOf = (change: Partial<typeof recipe> | { caveats: string[] }) => {
    const minted = mintMacaroon({ ...recipe, ...change });
    return minted.ok ? 'minted' : minted.reason;
  };
  t.is(reasonOf({}), 'minted');
  t.is(reasonOf({ secret: '' }), 'the secret is empty');
  t.is(reasonOf({ caveats: Array.from({ length: 32 }, () => 'x') }), 'minted');
  t.is(reasonOf({ caveats: Array.from({ length: 33 }, () => 'x') }), 'it has more than 32 caveats');
  t.is(reasonOf({ identifier: 'x'.repeat(4000) }), 'it is longer than 4096 characters');
  t.is(reasonOf({ location: 'x'.repeat(70_000) }), 'it is longer than 4096 characters');
  for (const half of [{ identifier: '\ud800' }, { location: '\ud800' }, { caveats: ['x', 'a\udc00'] }]) {
    t.is(reasonOf(half), 'a text holds half of a surrogate pair');
  }
});

test('attenuating appends caveats and needs no secret', (t) => {
  const attenuated = attenuateMacaroon(mint(['path = /lp/*']), ['action = poll', `job = ${uuid}`]);
  if (!attenuated.ok) return t.fail(attenuated.reason);
  t.deepEqual(
    verifiedToken(attenuated.token).caveats.map(({ text }) => text),
    ['path = /lp/*', 'action = poll', `job = ${uuid}`],
  );
});

test('attenuating by nothing gives the same macaroon, without padding', (t) => {
  const token = mint(['path = /exports']);
  const padded = token + '='.repeat((4 - (token.length % 4)) % 4);
  t.not(padded, token);
  t.deepEqual(attenuateMacaroon(padded, []), { ok: true, token });
});

test('attenuating keeps caveats that are not UTF-8 and third-party ones as they are', (t) => {
  const before = [
    packet('location', ''),
    packet('identifier', ''),
    packet('cid', Buffer.from([0xff, 0xfe])),
    packet('cid', 'third'),
    packet('vid', Buffer.alloc(72, 0xff)),
  ];
  const token = tokenOf(...before, packet('signature', Buffer.alloc(32)));
  const attenuated = attenuateMacaroon(token, ['path = /export']);
  if (!attenuated.ok) return t.fail(attenuated.reason);
  const start = Buffer.concat([...before, packet('cid', 'path = /export')]);
  t.deepEqual(Buffer.from(attenuated.token, 'base64url').subarray(0, start.length), start);
});

test('nothing is attenuated that is not a macaroon or would be none the relay reads', (t) => {
  const reasonOf = (text: string, caveats: readonly string[]) => {
    const attenuated = attenuateMacaroon(text, caveats);
    return attenuated.ok ? 'attenuated' : attenuated.reason;
  };
  const full = mint(Array.from({ length: 32 }, () => 'x'));
  t.is(reasonOf('nonsense!', ['x']), 'it is not URL-safe base64');
  t.is(reasonOf(full, []), 'attenuated');
  t.is(reasonOf(full, ['x']), 'it has more than 32 caveats');
  t.is(reasonOf(mint([]), ['x'.repeat(4000)]), 'it is longer than 4096 characters');
  t.is(reasonOf(mint([]), ['x'.repeat(70_000)]), 'it is longer than 4096 characters');
  t.is(reasonOf(mint([]), ['\ud800']), 'a text holds half of a surrogate pair');
});

const caveats = fc.oneof(
  fc.constantFrom('target = export-service', 'target = other', 'path = /lp/*', 'path = /export', 'path = *'),
  fc.constantFrom(
    'method = POST',
    'method = get',
    'time < 2030-01-01T00:00:00Z',
    'time < 2020-01-01T00:00:00Z',
  ),
  fc.constantFrom('destination = https://a.example/*', 'destination = https://a.example/in', 'mood = good'),
  fc.constantFrom(`job = ${uuid}`, `job = ${otherUuid}`, 'action = submit', 'action = poll|cancel'),
  fc.constantFrom('bytes <= 5', 'bytes <= 500', `sha256 = ${digest}`, `sha256 = ${'0'.repeat(64)}`),
);
const requests = fc.record({
  target: fc.constantFrom('export-service', 'other'),
  path: fc.constantFrom('/export', '/lp/export', '/ws/export'),
  method: fc.constantFrom('POST', 'GET'),
  nowMs: fc.constantFrom(Date.parse('2019-01-01'), Date.parse('2026-01-01'), Date.parse('2031-01-01')),
});
const jobs = fc.constantFrom<JobFacts>(
  submission,
  { action: 'submit', data: { bytes: 1, sha256Hex: () => '0'.repeat(64) } },
  { action: 'poll', jobId: uuid },
  { action: 'cancel', jobId: otherUuid },
);
const uris = fc.constantFrom('https://a.example/in', 'https://a.example/', 'https://b.example/in');

test('attenuating never widens what a macaroon allows', (t) => {
  const counts = { both: 0, first: 0 };
  fc.assert(
    fc.property(
      fc.array(caveats, { maxLength: 3 }),
      fc.array(caveats, { minLength: 1, maxLength: 3 }),
      requests,
      jobs,
      uris,
      (own, added, facts, job, uri) => {
        const token = mint(own);
        const attenuated = attenuateMacaroon(token, added);
        if (!attenuated.ok) return t.fail(attenuated.reason);
        const allowedBefore = allows(verifiedToken(token), facts, job, uri);
        const allowedAfter = allows(verifiedToken(attenuated.token), facts, job, uri);
        const allowedByAdded = allows(verifiedToken(mint(added)), facts, job, uri);
        t.is(allowedAfter, allowedBefore && allowedByAdded);
        if (allowedAfter) counts.both += 1;
        if (allowedBefore) counts.first += 1;
      },
    ),
    { numRuns: 2000 },
  );
  t.true(counts.both > 10 && counts.first > counts.both, 'some are allowed, and some no longer');
});

function allows(macaroon: VerifiedMacaroon, facts: RequestFacts, job: JobFacts, uri: string): boolean {
  return (
    checkRequest(macaroon, facts).satisfied &&
    checkJob(macaroon, job).satisfied &&
    checkDestination(macaroon, destination(uri)).satisfied
  );
}
