import test from 'ava';
import { parseDestination } from '#relay/egress/destination.js';
import { checkDestination, checkRequest } from '#relay/macaroon/caveats.js';
import { deriveKey, signatureHolds } from '#relay/macaroon/chain.js';
import { mintMacaroon } from '#relay/macaroon/mint.js';
import { decodeMacaroon, encodeMacaroon } from '#relay/macaroon/token.js';
import { MacaroonVerifier } from '#relay/macaroon/verify.js';
import { readHostile, readMalformed, readVectors, type Vector } from '../helpers/macaroon_vectors.js';

const vectors = readVectors();
const firstParty = vectors.filter(({ kind }) => kind !== 'third-party');

for (const vector of firstParty) {
  const verdict = vector.authorized ? 'accepted' : 'refused';
  test(`the published vector ${vector.id} is ${verdict} in every spelling`, (t) => {
    for (const token of vector.tokens) t.is(isAuthorized(vector, token), vector.authorized);
  });
}

for (const vector of firstParty.filter(({ authorized }) => authorized)) {
  test(`the published vector ${vector.id} decodes to its parts and encodes to itself`, (t) => {
    for (const token of vector.tokens) {
      const decoded = decodeMacaroon(token);
      if (!decoded.ok) return t.fail(decoded.reason);
      const { macaroon } = decoded;
      t.is(macaroon.location, vector.location);
      t.is(macaroon.identifier, vector.identifier);
      t.deepEqual(macaroon.caveats.map(textOf), vector.caveats);
      if (vector.publishedSignature !== undefined) t.is(hexOf(macaroon.signature), vector.publishedSignature);
      t.is(encodeMacaroon(macaroon), token.replace(/=+$/, ''));
    }
  });
}

for (const vector of firstParty.filter(({ authorized, secretIsRaw }) => authorized && !secretIsRaw)) {
  test(`the published vector ${vector.id} is what minting gives`, (t) => {
    t.deepEqual(mintMacaroon(vector), { ok: true, token: vector.tokens[0]?.replace(/=+$/, '') });
  });
}

for (const vector of vectors.filter(({ kind }) => kind === 'third-party')) {
  test(`the signature of ${vector.id} holds, and its third-party caveat is never satisfied`, (t) => {
    // One of them was published in the other base64 alphabet, which is another test's subject.
    const token = vector.tokens[0]?.replaceAll('+', '-').replaceAll('/', '_') ?? '';
    const macaroon = new MacaroonVerifier({ secrets: [vector.secret], cacheEntries: 1 }).verify(token);
    t.deepEqual(
      macaroon?.caveats.map(({ kind }) => kind),
      ['unknown', 'third-party'],
    );
    if (macaroon !== undefined) t.false(checkRequest(macaroon, anyRequest).satisfied);
  });
}

test('the published token with a tampered signature is refused in its canonical spelling too', (t) => {
  const vector = vectors.find(({ id }) => id === 'readme-tampered-signature');
  if (vector === undefined) return t.fail('the vector is missing');
  const token = Buffer.from(vector.tokens.join(''), 'base64').toString('base64url');
  t.true(decodeMacaroon(token).ok);
  t.false(isAuthorized(vector, token));
});

for (const { id, token } of readMalformed()) {
  test(`the published malformed token ${id} is refused without an exception`, (t) => {
    t.false(decodeMacaroon(token).ok);
  });
}

for (const { id, what, secret, token, relayShould } of readHostile()) {
  test(`hostile token ${id} (${what}): ${relayShould}`, (t) => {
    t.is(isAdmitted(token, secret), relayShould === 'accept');
    // All but one of those refused are refused for their form or signature, whatever their caveats say.
    const isGenuine = relayShould === 'accept' || id === 'signed-unsatisfied';
    t.is(verifierOf(secret).verify(token) !== undefined, isGenuine);
  });
}

const anyRequest = { target: 'export-service', path: '/lp/export', method: 'POST', nowMs: 0 };

/** As a verifier would judge that knows these exact caveats, and no others, to be satisfied. */
function isAuthorized(vector: Vector, token: string): boolean {
  const decoded = decodeMacaroon(token);
  if (!decoded.ok) return false;
  const key = vector.secretIsRaw ? Buffer.from(vector.secret) : deriveKey(vector.secret);
  return (
    signatureHolds(decoded.macaroon, key) &&
    decoded.macaroon.caveats.map(textOf).every((text) => vector.satisfyExact.includes(text))
  );
}

function isAdmitted(token: string, secret: string): boolean {
  const macaroon = verifierOf(secret).verify(token);
  const parsed = parseDestination('https://export.amar.io/');
  if (macaroon === undefined || !parsed.ok) return false;
  return (
    checkRequest(macaroon, anyRequest).satisfied && checkDestination(macaroon, parsed.destination).satisfied
  );
}

function verifierOf(secret: string): MacaroonVerifier {
  return new MacaroonVerifier({ secrets: [secret], cacheEntries: 1 });
}

function textOf(caveat: { readonly cid: Uint8Array }): string {
  return Buffer.from(caveat.cid).toString();
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
