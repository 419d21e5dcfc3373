import MacaroonsBuilder from 'macaroons.js/lib/MacaroonsBuilder.js';
import test from 'ava';
import fc from 'fast-check';
import { MacaroonError, attenuate, inspect } from '#relay/client/index.js';
import { attenuateMacaroon } from '#relay/macaroon/mint.js';
import { decodeMacaroon } from '#relay/macaroon/token.js';
import { MacaroonVerifier } from '#relay/macaroon/verify.js';
import { readHostile, readMalformed, readVectors } from '../helpers/macaroon_vectors.js';
import { mint, testSecret } from '../helpers/macaroons.js';
import { packet, tokenOf } from '../helpers/packets.js';

// The client library's own codec against the relay's and against macaroons.js, which share no code with it.

const verifier = new MacaroonVerifier({ secrets: [testSecret], cacheEntries: 100 });

const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom('', ' ', '\n', '\ufeff', 'path = /export', '0004', 'cid a\n', 'signature '),
);
const caveats = fc.array(texts, { maxLength: 5 });

/** What the library makes of a text, in the relay's terms. */
function ours(token: string): unknown {
  try {
    const { location, identifier, caveats: found, signature } = inspect(token);
    return { location, identifier, caveats: found, signature };
  } catch (error) {
    if (!(error instanceof MacaroonError)) throw error;
    return 'refused';
  }
}

function theirs(token: string): unknown {
  const decoded = decodeMacaroon(token);
  if (!decoded.ok) return 'refused';
  const { location, identifier, signature } = decoded.macaroon;
  const found = decoded.macaroon.caveats.map((caveat) => ({
    text: caveat.kind === 'first-party' ? caveat.text : utf8(caveat.cid),
    thirdParty: caveat.kind === 'third-party',
  }));
  return { location, identifier, caveats: found, signature: Buffer.from(signature).toString('hex') };
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

for (const { id, tokens } of readVectors()) {
  test(`the published macaroon ${id} is read as the relay reads it`, (t) => {
    for (const token of tokens) t.deepEqual(ours(token), theirs(token));
  });
}

test('texts that are no macaroon, and hostile ones, are read as the relay reads them', (t) => {
  const tokens = [...readMalformed(), ...readHostile()];
  t.true(tokens.length > 20);
  for (const { id, token } of tokens) t.deepEqual(ours(token), theirs(token), id);
});

test('packets in any order, of any size and in any spelling are read as the relay reads them', (t) => {
  const key = fc.constantFrom('location', 'identifier', 'cid', 'vid', 'cl', 'signature', 'extra');
  const value = fc.oneof(
    fc.constant(Buffer.alloc(32, 7)),
    fc.constant(Buffer.from([0xff])),
    texts.map((text) => Buffer.from(text)),
  );
  const inner = fc.array(fc.tuple(key, value), { maxLength: 4 });
  const whole = inner.map((packets) =>
    tokenOf(
      packet('location', 'l'),
      packet('identifier', 'i'),
      ...packets.map(([name, content]) => packet(name, content)),
      packet('signature', Buffer.alloc(32, 1)),
    ),
  );
  const loose = inner.map((packets) => tokenOf(...packets.map(([name, content]) => packet(name, content))));
  const mutated = fc
    .tuple(whole, fc.nat(), fc.constantFrom('', 'A', '=', '+', '_', ' ', 'é'))
    .map(([token, at, text]) => {
      const where = at % (token.length + 1);
      return token.slice(0, where) + text + token.slice(where + 1);
    });
  fc.assert(
    fc.property(fc.oneof(whole, loose, mutated, fc.string()), (token) => {
      t.deepEqual(ours(token), theirs(token));
    }),
    { numRuns: 500 },
  );
});

test('what macaroons.js serialises is read with the same parts', (t) => {
  fc.assert(
    fc.property(texts, texts, caveats, (location, identifier, added) => {
      const builder = new MacaroonsBuilder(location, testSecret, identifier);
      for (const caveat of added) builder.add_first_party_caveat(caveat);
      const macaroon = builder.getMacaroon();
      const found = inspect(macaroon.serialize());
      t.is(found.location, location);
      t.is(found.identifier, identifier);
      t.deepEqual(
        found.caveats,
        added.map((text) => ({ text, thirdParty: false })),
      );
      t.is(found.signature, macaroon.signature);
    }),
  );
});

test('an attenuated macaroon is the one that the relay makes, and its signature holds', async (t) => {
  await fc.assert(
    fc.asyncProperty(caveats, caveats, async (before, added) => {
      const token = mint(before);
      const narrowed = await attenuate(token, added);
      t.deepEqual(attenuateMacaroon(token, added), { ok: true, token: narrowed });
      t.deepEqual(
        verifier.verify(narrowed)?.caveats.map(({ text }) => text),
        verifier.verify(mint([...before, ...added]))?.caveats.map(({ text }) => text),
      );
    }),
  );
});

test('an attenuated macaroon is the one that macaroons.js makes', async (t) => {
  const token = mint(['method = POST']);
  const library = MacaroonsBuilder.modify(MacaroonsBuilder.deserialize(token))
    .add_first_party_caveat('action = poll')
    .getMacaroon();
  t.is(await attenuate(token, 'action = poll'), library.serialize());
});

test('padding is read and not written', async (t) => {
  const token = mint(['a = b']);
  const padded = token.padEnd(Math.ceil(token.length / 4) * 4, '=');
  t.is(await attenuate(padded, []), token);
});

for (const [what, caveat] of [
  ['half of a surrogate pair', '\ud800'],
  ['a caveat that makes it too long', 'x'.repeat(4000)],
] as const) {
  test(`no macaroon is made with ${what}`, async (t) => {
    await t.throwsAsync(attenuate(mint([]), caveat), { instanceOf: MacaroonError });
  });
}

test('no macaroon is made with more than 32 caveats, or of what is none', async (t) => {
  const most = await attenuate(mint([]), Array<string>(32).fill('bytes <= 1'));
  await t.throwsAsync(attenuate(most, 'bytes <= 1'), { instanceOf: MacaroonError, message: /32 caveats/ });
  await t.throwsAsync(attenuate('no macaroon', 'a = b'), {
    instanceOf: MacaroonError,
    message: /not a macaroon/,
  });
});
