import test from 'ava';
import { allowanceOf } from '#relay/macaroon/allowance.js';
import { parseCaveat, toPredicate } from '#relay/macaroon/predicate.js';
import { otherUuid, uuid } from '../helpers/macaroon_facts.js';

const nowMs = Date.parse('2026-01-01T00:00:00Z');
const everywhere = 'through POST /export, POST /lp/export and GET /ws/export';
const forEver = 'for ever: it has no time caveat';
const anything = 'may submit new jobs, poll the jobs it may see and cancel the jobs it may see';
const anywhere = 'for any destination that the relay allows';

function allowance(...caveats: readonly string[]) {
  return allowanceOf(caveats.map(parseCaveat), nowMs);
}

for (const [caveats, lines] of [
  [[], [anything, anywhere, everywhere, forEver]],
  [['path = /export'], [anything, anywhere, 'through POST /export', forEver]],
  [['path = /lp/export'], [anything, anywhere, 'through POST /lp/export', forEver]],
  [['path = /ws/export'], [anything, anywhere, 'through GET /ws/export', forEver]],
  [['method = POST'], [anything, anywhere, 'through POST /export and POST /lp/export', forEver]],
  [['method = GET'], [anything, anywhere, 'through GET /ws/export', forEver]],
  [
    ['target = a', 'target = a'],
    [anything, anywhere, everywhere, 'at the relay a', forEver],
  ],
  [
    ['bytes <= 20', 'bytes <= 10', 'bytes <= 30'],
    [anything, anywhere, everywhere, 'with data of at most 10 bytes', forEver],
  ],
  [
    ['bytes <= 20', 'action = poll'],
    ['may poll the jobs it may see', anywhere, everywhere, forEver],
  ],
  [['action = submit'], ['may submit new jobs', anywhere, everywhere, forEver]],
  [[`job = ${uuid}`], [`may poll the job ${uuid} and cancel the job ${uuid}`, anywhere, everywhere, forEver]],
  [
    [`job = ${uuid}`, `job = ${uuid}`, 'action = submit|cancel'],
    [`may cancel the job ${uuid}`, anywhere, everywhere, forEver],
  ],
  [
    ['destination = https://a/*', 'destination = https://a/b'],
    [anything, 'for destinations that match https://a/* and also https://a/b', everywhere, forEver],
  ],
  [
    ['time < 2026-01-03T00:00:00Z', 'time < 2026-01-02T00:00:00Z'],
    [anything, anywhere, everywhere, 'until 2026-01-02T00:00:00.000Z'],
  ],
] as const) {
  test(`what ${caveats.join(', ') || 'no caveat at all'} leaves is told in words`, (t) => {
    t.deepEqual(allowance(...caveats), { usable: true, lines });
  });
}

const elsewhere = 'its path and method caveats fit none of the ways in';

for (const [caveats, reason] of [
  [['time < 2025-12-31T23:59:59Z'], 'its time has passed'],
  [['time < 2026-01-01T00:00:00Z'], 'its time has passed'],
  [['target = a', 'time < 2026-01-01T00:00:00Z', 'method = POST'], 'its time has passed'],
  [['time < 2027-01-01T00:00:00Z', 'path = /other'], elsewhere],
  [['path = /ws/export', 'method = POST'], elsewhere],
  [['target = a', 'target = b', 'target = a'], 'no relay has two names (a and b)'],
  [[`job = ${uuid}`, `job = ${otherUuid}`], `no request is about two jobs (${uuid} and ${otherUuid})`],
  [[`job = ${uuid}`, 'action = submit'], 'its action and job caveats exclude each other'],
  [['action = submit', 'action = poll'], 'its action and job caveats exclude each other'],
] as const) {
  test(`${caveats.join(', ')} leaves nothing: ${reason}`, (t) => {
    t.deepEqual(allowance(...caveats), { usable: false, reason });
  });
}

test('a caveat that nothing satisfies leaves nothing, of either kind, and is quoted', (t) => {
  const mood = allowance('path = /export', 'mood = 1.2');
  t.regex(mood.usable ? '' : mood.reason, /^it holds "mood = 1\.2": no request satisfies it: .*[^.]$/);
  const bytes = Buffer.from('x');
  const thirdParty = toPredicate({ kind: 'third-party', cid: bytes, vid: bytes, location: undefined });
  t.deepEqual(allowanceOf([thirdParty], nowMs), {
    usable: false,
    reason:
      'it holds "third-party caveat x": no request satisfies it: the relay takes no discharge macaroons',
  });
});
