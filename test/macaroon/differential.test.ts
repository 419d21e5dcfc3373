import MacaroonsBuilder from 'macaroons.js/lib/MacaroonsBuilder.js';
import MacaroonsVerifier from 'macaroons.js/lib/MacaroonsVerifier.js';
import test from 'ava';
import fc from 'fast-check';
import { attenuateMacaroon, mintMacaroon } from '#relay/macaroon/mint.js';
import { decodeMacaroon, encodeMacaroon } from '#relay/macaroon/token.js';
import { MacaroonVerifier } from '#relay/macaroon/verify.js';
import { testSecret } from '../helpers/macaroons.js';
import { packet, tokenOf } from '../helpers/packets.js';

// This relay's decoder and verifier against those of macaroons.js, which other parts of the platform use.

const verifier = new MacaroonVerifier({ secrets: [testSecret], cacheEntries: 100 });

const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom('', ' ', '\n', '\ufeff', 'path = /export', '0004', 'cid a\n', 'signature '),
);
// The library's verifier overlooks an empty caveat; this relay understands none.
const caveats = fc.array(
  texts.filter((text) => text !== ''),
  { maxLength: 6 },
);
const recipes = fc.record({ location: texts, identifier: texts, caveats });

test('what macaroons.js mints is verified, with the same caveats', (t) => {
  fc.assert(
    fc.property(recipes, (recipe) => {
      const macaroon = verifier.verify(mintWithLibrary(recipe));
      t.is(macaroon?.identifier, recipe.identifier);
      t.deepEqual(
        macaroon?.caveats.map(({ text }) => text),
        recipe.caveats,
      );
    }),
    { numRuns: 500 },
  );
});

test('what macaroons.js mints under another secret is not verified', (t) => {
  fc.assert(
    fc.property(recipes, (recipe) => {
      t.is(verifier.verify(mintWithLibrary(recipe, 'another secret')), undefined);
    }),
  );
});

test('decoding and encoding agree with macaroons.js', (t) => {
  fc.assert(
    fc.property(recipes, (recipe) => {
      const token = mintWithLibrary(recipe);
      const theirs = MacaroonsBuilder.deserialize(token);
      const ours = decodeMacaroon(token);
      if (!ours.ok) return t.fail(ours.reason);
      t.is(ours.macaroon.location, theirs.location);
      t.is(ours.macaroon.identifier, theirs.identifier);
      t.is(Buffer.from(ours.macaroon.signature).toString('hex'), theirs.signature);
      t.is(encodeMacaroon(ours.macaroon), theirs.serialize());
    }),
    { numRuns: 500 },
  );
});

test('attenuating gives what macaroons.js gives', (t) => {
  fc.assert(
    fc.property(recipes, caveats, (recipe, added) => {
      const builder = MacaroonsBuilder.modify(MacaroonsBuilder.deserialize(mintWithLibrary(recipe)));
      for (const caveat of added) builder.add_first_party_caveat(caveat);
      t.deepEqual(attenuateMacaroon(mintWithLibrary(recipe), added), {
        ok: true,
        token: builder.getMacaroon().serialize(),
      });
    }),
    { numRuns: 300 },
  );
});

const minted = recipes.map((recipe) => mintMacaroon({ secret: testSecret, ...recipe }));

/** Changes to a token's bytes: single bytes, whole packets, the ends. */
const mutations = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), by: fc.integer({ min: 1, max: 255 }) }),
    fc.record({ kind: fc.constant('drop' as const), at: fc.nat() }),
    fc.record({ kind: fc.constant('repeat' as const), at: fc.nat() }),
    fc.record({ kind: fc.constant('move' as const), at: fc.nat(), to: fc.nat() }),
    fc.record({
      kind: fc.constant('insert' as const),
      at: fc.nat(),
      key: fc.constantFrom('location', 'identifier', 'cid', 'vid', 'cl', 'signature', 'foo'),
      value: texts,
    }),
    fc.record({ kind: fc.constant('cut' as const), at: fc.nat() }),
    fc.record({ kind: fc.constant('append' as const), bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }) }),
  ),
  { minLength: 1, maxLength: 3 },
);

test('a changed token does not verify, unless only its location changed, and then macaroons.js agrees', (t) => {
  const seen = { accepted: 0, refused: 0 };
  fc.assert(
    fc.property(minted, mutations, (token, changes) => {
      if (!token.ok) return t.fail(token.reason);
      const bytes = changes.reduce(mutate, Buffer.from(token.token, 'base64url'));
      const changed = tokenOf(bytes);
      const macaroon = verifier.verify(changed);
      seen[macaroon === undefined ? 'refused' : 'accepted'] += 1;
      if (macaroon === undefined) return;
      t.deepEqual(signedParts(changed), signedParts(token.token));
      t.true(isValidForLibrary(changed), changed);
    }),
    { numRuns: 4000 },
  );
  t.true(seen.accepted > 5 && seen.refused > 1000, JSON.stringify(seen));
});

const characters = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 3 }),
  fc.constantFrom('A', 'B', 'x', '0', '-', '_', '+', '/', '=', '\n'),
);

test('a token with changed characters does not verify, unless only its location changed', (t) => {
  const seen = { accepted: 0, refused: 0 };
  fc.assert(
    fc.property(minted, fc.nat(), characters, (token, at, inserted) => {
      if (!token.ok) return t.fail(token.reason);
      const from = at % token.token.length;
      const changed = token.token.slice(0, from) + inserted + token.token.slice(from + 1);
      const macaroon = verifier.verify(changed);
      seen[macaroon === undefined ? 'refused' : 'accepted'] += 1;
      if (macaroon === undefined) return;
      t.deepEqual(signedParts(changed), signedParts(token.token));
      t.true(isValidForLibrary(changed), changed);
    }),
    { numRuns: 4000 },
  );
  t.true(seen.accepted > 5 && seen.refused > 1000, JSON.stringify(seen));
});

interface Recipe {
  readonly location: string;
  readonly identifier: string;
  readonly caveats: readonly string[];
}

function mintWithLibrary({ location, identifier, caveats: own }: Recipe, secret = testSecret): string {
  const builder = new MacaroonsBuilder(location, secret, identifier);
  for (const caveat of own) builder.add_first_party_caveat(caveat);
  return builder.getMacaroon().serialize();
}

/** Whether macaroons.js accepts the token once each of its caveats counts as satisfied. */
function isValidForLibrary(token: string): boolean {
  const library = new MacaroonsVerifier(MacaroonsBuilder.deserialize(token));
  for (const { text } of verifier.verify(token)?.caveats ?? []) library.satisfyExact(text);
  return library.isValid(testSecret);
}

/** All of a token but its location. */
function signedParts(token: string): unknown {
  const decoded = decodeMacaroon(token);
  return decoded.ok ? { ...decoded.macaroon, location: undefined } : decoded.reason;
}

type Mutation = typeof mutations extends fc.Arbitrary<readonly (infer Each)[]> ? Each : never;

function mutate(bytes: Buffer, change: Mutation): Buffer {
  const packets = split(bytes);
  const at = 'at' in change ? change.at % (packets.length || 1) : 0;
  const picked = packets[at] ?? Buffer.alloc(0);
  switch (change.kind) {
    case 'flip': {
      const flipped = Buffer.from(bytes);
      const index = change.at % (bytes.length || 1);
      if (bytes.length > 0) flipped.writeUInt8(bytes.readUInt8(index) ^ change.by, index);
      return flipped;
    }
    case 'drop':
      return Buffer.concat(packets.toSpliced(at, 1));
    case 'repeat':
      return Buffer.concat(packets.toSpliced(at, 0, picked));
    case 'move':
      return Buffer.concat(packets.toSpliced(at, 1).toSpliced(change.to % (packets.length || 1), 0, picked));
    case 'insert':
      return Buffer.concat(packets.toSpliced(at, 0, packet(change.key, change.value)));
    case 'cut':
      return bytes.subarray(0, change.at % (bytes.length || 1));
    case 'append':
      return Buffer.concat([bytes, change.bytes]);
  }
}

/** The packets by their size; what cannot be split further stays in one piece. */
function split(bytes: Buffer): Buffer[] {
  const size = parseInt(bytes.toString('latin1', 0, 4), 16);
  if (!(size > 4 && size < bytes.length)) return [bytes];
  return [bytes.subarray(0, size), ...split(bytes.subarray(size))];
}
