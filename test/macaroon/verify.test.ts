import test from 'ava';
import { checkRequest } from '#relay/macaroon/caveats.js';
import { deriveKey, signatureHolds } from '#relay/macaroon/chain.js';
import { MacaroonVerifier } from '#relay/macaroon/verify.js';
import { mint } from '../helpers/macaroons.js';
import { packet, tokenOf } from '../helpers/packets.js';

const request = { target: 'export-service', path: '/export', method: 'POST', nowMs: 0 };

test('a genuine token is verified, with its caveats in the order they were added', (t) => {
  const verifier = new MacaroonVerifier({ secrets: ['one'], cacheEntries: 10 });
  const macaroon = verifier.verify(mint(['path = /export', 'method = POST', 'mood = good'], 'one'));
  t.is(macaroon?.identifier, 'an app');
  t.deepEqual(
    macaroon?.caveats.map(({ text }) => text),
    ['path = /export', 'method = POST', 'mood = good'],
  );
});

test('the location is not part of what was verified, because nobody signs it', (t) => {
  const macaroon = new MacaroonVerifier({ secrets: ['one'], cacheEntries: 10 }).verify(mint([], 'one'));
  t.deepEqual(Object.keys(macaroon ?? {}).sort(), ['caveats', 'identifier']);
});

test('any of several secrets verifies, so that one can be rotated', (t) => {
  const verifier = new MacaroonVerifier({ secrets: ['old', 'new'], cacheEntries: 10 });
  t.truthy(verifier.verify(mint(['path = /export'], 'old')));
  t.truthy(verifier.verify(mint(['path = /export'], 'new')));
  t.is(verifier.verify(mint(['path = /export'], 'other')), undefined);
});

test('a verifier without a secret or with an empty one cannot be made', (t) => {
  const message = 'A macaroon secret must not be empty.';
  t.throws(() => new MacaroonVerifier({ secrets: [], cacheEntries: 10 }), { message });
  t.throws(() => new MacaroonVerifier({ secrets: [''], cacheEntries: 10 }), { message });
  t.throws(() => new MacaroonVerifier({ secrets: ['one', ''], cacheEntries: 10 }), { message });
});

test('every single byte of the signature counts', (t) => {
  const verifier = new MacaroonVerifier({ secrets: ['one'], cacheEntries: 10 });
  const bytes = Buffer.from(mint(['path = /export'], 'one'), 'base64url');
  t.truthy(verifier.verify(tokenOf(bytes)));
  for (let at = bytes.length - 33; at < bytes.length - 1; at += 1) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    t.is(verifier.verify(tokenOf(changed)), undefined, `byte ${at}`);
  }
});

test('a caveat that was taken away, changed, added or moved breaks the signature', (t) => {
  const verifier = new MacaroonVerifier({ secrets: ['one'], cacheEntries: 10 });
  const bytes = Buffer.from(mint(['path = /export', 'method = POST'], 'one'), 'base64url');
  const path = packet('cid', 'path = /export');
  const method = packet('cid', 'method = POST');
  const start = bytes.subarray(0, bytes.indexOf(path));
  const end = bytes.subarray(bytes.indexOf(method) + method.length);
  t.truthy(verifier.verify(tokenOf(start, path, method, end)));
  t.is(verifier.verify(tokenOf(start, path, end)), undefined);
  t.is(verifier.verify(tokenOf(start, path, packet('cid', 'method = GET'), end)), undefined);
  t.is(verifier.verify(tokenOf(start, path, method, packet('cid', 'x'), end)), undefined);
  t.is(verifier.verify(tokenOf(start, method, path, end)), undefined);
});

test('a token is taken apart once as long as it is remembered', (t) => {
  const verifier = new MacaroonVerifier({ secrets: ['one'], cacheEntries: 2 });
  const [first, second, third] = ['/a', '/b', '/c'].map((path) => mint([`path = ${path}`], 'one'));
  if (first === undefined || second === undefined || third === undefined) return t.fail();
  const before = verifier.verify(first);
  t.truthy(before);
  t.is(verifier.verify(first), before);
  verifier.verify(second);
  t.is(verifier.verify(first), before, 'two fit');
  verifier.verify(third);
  t.is(verifier.verify(first), before, 'the one used least recently went');
  verifier.verify(second);
  verifier.verify(third);
  t.not(verifier.verify(first), before, 'the cache is bounded');
  t.deepEqual(verifier.verify(first), before);
});

test('long tokens push each other out before the cache takes much memory', (t) => {
  const verifier = new MacaroonVerifier({ secrets: ['one'], cacheEntries: 100_000 });
  const long = Array.from({ length: 6 }, () => `destination = https://a.example/${'x'.repeat(400)}`);
  const tokens = Array.from({ length: 1500 }, (_none, number) => mint([`path = /${number}`, ...long], 'one'));
  const [first = '', ...others] = tokens;
  const before = verifier.verify(first);
  for (const token of others.slice(0, 500)) verifier.verify(token);
  t.is(verifier.verify(first), before);
  for (const token of others) verifier.verify(token);
  t.not(verifier.verify(first), before);
});

test('a token that fails is not remembered and pushes no other out', (t) => {
  const verifier = new MacaroonVerifier({ secrets: ['one'], cacheEntries: 1 });
  const token = mint(['path = /export'], 'one');
  const before = verifier.verify(token);
  t.truthy(before);
  t.is(verifier.verify(mint(['path = /export'], 'other')), undefined);
  t.is(verifier.verify('nonsense'), undefined);
  t.is(verifier.verify(token), before);
});

test('what is remembered of a token decides no request', (t) => {
  const verifier = new MacaroonVerifier({ secrets: ['one'], cacheEntries: 1 });
  const token = mint(['path = /export', 'time < 2030-01-01T00:00:00Z'], 'one');
  const satisfied = [
    request,
    { ...request, path: '/lp/export' },
    { ...request, nowMs: Date.parse('2030-01-01T00:00:00Z') },
    request,
  ].map((facts) => {
    const macaroon = verifier.verify(token);
    return macaroon && checkRequest(macaroon, facts).satisfied;
  });
  t.deepEqual(satisfied, [true, false, false, true]);
});

test('a signature of another length is a wrong one', (t) => {
  const macaroon = { location: '', identifier: '', caveats: [] };
  for (const length of [0, 31, 33]) {
    t.false(signatureHolds({ ...macaroon, signature: Buffer.alloc(length) }, deriveKey('one')));
  }
});
