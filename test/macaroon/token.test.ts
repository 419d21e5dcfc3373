import test from 'ava';
import fc from 'fast-check';
import { decodeMacaroon, encodeMacaroon } from '#relay/macaroon/token.js';
import { packet, tokenOf } from '../helpers/packets.js';

const location = packet('location', 'https://arbiter:8080');
const identifier = packet('identifier', 'an app');
const cid = packet('cid', 'path = /export');
const vid = packet('vid', Buffer.alloc(72, 0xff));
const cl = packet('cl', 'https://other.example');
const signature = packet('signature', Buffer.alloc(32, 0x20));
const shortThirdParty = Buffer.concat([packet('cid', 'a'), packet('vid', 'b'), packet('cl', 'c')]);
const notUtf8 = Buffer.from([0x61, 0xff]);

const wellFormed: readonly { readonly why: string; readonly token: string }[] = [
  { why: 'a macaroon needs no caveats', token: tokenOf(location, identifier, signature) },
  {
    why: "the platform's arbiter leaves both names empty",
    token: tokenOf(packet('location', ''), packet('identifier', ''), signature),
  },
  { why: 'a third-party caveat has a vid', token: tokenOf(location, identifier, cid, vid, signature) },
  {
    why: "a third-party caveat may name its third party's location",
    token: tokenOf(location, identifier, cid, vid, cl, cid, signature),
  },
  {
    why: 'an empty location of a third party is not the same as none',
    token: tokenOf(location, identifier, cid, vid, packet('cl', ''), signature),
  },
  {
    why: 'an empty vid is still a vid',
    token: tokenOf(location, identifier, cid, packet('vid', ''), signature),
  },
  {
    why: 'a caveat is bytes, which need not be text',
    token: tokenOf(location, identifier, packet('cid', notUtf8), signature),
  },
  {
    why: 'values may hold spaces, line feeds, and what looks like a packet',
    token: tokenOf(packet('location', '0009cid \n'), packet('identifier', ' \n\n'), cid, signature),
  },
  {
    why: '32 caveats are allowed',
    token: tokenOf(location, identifier, ...Array.from({ length: 32 }, () => cid), signature),
  },
  {
    why: '32 caveats are allowed, of the longer kind too',
    token: tokenOf(location, identifier, ...Array.from({ length: 32 }, () => shortThirdParty), signature),
  },
];

for (const { why, token } of wellFormed) {
  test(`a token decodes and encodes to itself: ${why}`, (t) => {
    const decoded = decodeMacaroon(token);
    if (!decoded.ok) return t.fail(decoded.reason);
    t.is(encodeMacaroon(decoded.macaroon), token);
  });
}

const malformed: readonly { readonly why: string; readonly token: string; readonly reason: RegExp }[] = [
  { why: 'there is nothing', token: '', reason: /first packet/ },
  { why: 'the location is missing', token: tokenOf(identifier, cid, signature), reason: /first packet/ },
  { why: 'the identifier is missing', token: tokenOf(location, cid, signature), reason: /second packet/ },
  { why: 'the order is another', token: tokenOf(identifier, location, signature), reason: /first packet/ },
  { why: 'the signature is missing', token: tokenOf(location, identifier, cid), reason: /last packet/ },
  { why: 'nothing but names', token: tokenOf(location, identifier), reason: /last packet/ },
  {
    why: 'a caveat after the signature would be unsigned',
    token: tokenOf(location, identifier, signature, cid),
    reason: /last packet/,
  },
  {
    why: 'of two signatures two readers could take a different one',
    token: tokenOf(location, identifier, signature, signature),
    reason: /something but caveats/,
  },
  {
    why: 'of two identifiers only one is signed',
    token: tokenOf(location, identifier, identifier, signature),
    reason: /something but caveats/,
  },
  {
    why: 'a second location has no place',
    token: tokenOf(location, location, identifier, signature),
    reason: /second packet/,
  },
  {
    why: 'a vid belongs to a cid',
    token: tokenOf(location, identifier, vid, cid, signature),
    reason: /something but caveats/,
  },
  {
    why: 'a cl belongs to a vid: without one nobody signs it',
    token: tokenOf(location, identifier, cid, cl, signature),
    reason: /something but caveats/,
  },
  {
    why: 'a caveat has one vid',
    token: tokenOf(location, identifier, cid, vid, vid, signature),
    reason: /something but caveats/,
  },
  {
    why: 'a caveat has one cl',
    token: tokenOf(location, identifier, cid, vid, cl, cl, signature),
    reason: /something but caveats/,
  },
  {
    why: 'an unknown packet must not be skipped',
    token: tokenOf(location, identifier, packet('foo', 'bar'), signature),
    reason: /something but caveats/,
  },
  {
    why: 'a key is matched whole, not by its beginning',
    token: tokenOf(location, identifier, packet('cidx', 'path = /export'), signature),
    reason: /something but caveats/,
  },
  {
    why: 'a key is matched in lower case',
    token: tokenOf(packet('Location', ''), identifier, signature),
    reason: /first packet/,
  },
  {
    why: 'a short signature leaves less to guess',
    token: tokenOf(location, identifier, packet('signature', Buffer.alloc(31))),
    reason: /not 32 bytes/,
  },
  {
    why: 'a long signature has bytes that nobody compares',
    token: tokenOf(location, identifier, packet('signature', Buffer.alloc(33))),
    reason: /not 32 bytes/,
  },
  {
    why: 'an identifier that is not UTF-8 would be altered on its way through text',
    token: tokenOf(location, packet('identifier', notUtf8), signature),
    reason: /identifier is not UTF-8/,
  },
  {
    why: 'a location that is not UTF-8 could not be shown',
    token: tokenOf(packet('location', notUtf8), identifier, signature),
    reason: /location is not UTF-8/,
  },
  {
    why: "a third party's location that is not UTF-8 could not be shown",
    token: tokenOf(location, identifier, cid, vid, packet('cl', notUtf8), signature),
    reason: /something but caveats/,
  },
  {
    why: '33 caveats are one too many',
    token: tokenOf(location, identifier, ...Array.from({ length: 33 }, () => packet('cid', 'x')), signature),
    reason: /more than 32 caveats/,
  },
  {
    why: 'a size in upper case is another spelling of the same token',
    token: tokenOf('000Elocation \n', identifier, signature),
    reason: /whole packets/,
  },
  {
    why: 'a size that is no number is not zero',
    token: tokenOf('zz0elocation \n', identifier, signature),
    reason: /whole packets/,
  },
  {
    why: 'a size may not have a sign or a space',
    token: tokenOf(' 00elocation \n', identifier, signature),
    reason: /whole packets/,
  },
  {
    why: 'an empty packet is no end of the token',
    token: tokenOf(location, identifier, signature, '0004'),
    reason: /whole packets/,
  },
  { why: 'a size of zero would never end', token: tokenOf('0000', location), reason: /whole packets/ },
  {
    why: 'a size must hold its own key',
    token: tokenOf('0005location \n', identifier, signature),
    reason: /whole packets/,
  },
  { why: 'a packet may not be cut', token: tokenOf(location, 'ffffidentifier a\n'), reason: /whole packets/ },
  {
    why: 'a header may not be cut',
    token: tokenOf(location, identifier, signature, '002'),
    reason: /whole packets/,
  },
  {
    why: 'a packet must end in its own line feed',
    token: tokenOf(location, '0011identifier ab', cid, signature),
    reason: /whole packets/,
  },
  {
    why: 'a key ends in a space of its own packet',
    token: tokenOf('000dlocation\n', identifier, signature),
    reason: /whole packets/,
  },
];

for (const { why, token, reason } of malformed) {
  test(`a token is malformed: ${why}`, (t) => {
    const decoded = decodeMacaroon(token);
    t.regex(decoded.ok ? 'decoded' : decoded.reason, reason);
  });
}

test('a byte order mark is kept, because it is signed', (t) => {
  const bom = '\ufeff';
  const decoded = decodeMacaroon(
    tokenOf(location, packet('identifier', `${bom}app`), packet('cid', `${bom}path = /export`), signature),
  );
  if (!decoded.ok) return t.fail(decoded.reason);
  t.is(decoded.macaroon.identifier, `${bom}app`);
  const [caveat] = decoded.macaroon.caveats;
  t.is(caveat?.kind === 'first-party' ? caveat.text : undefined, `${bom}path = /export`);
});

test('a caveat that is not UTF-8 has no text', (t) => {
  const decoded = decodeMacaroon(tokenOf(location, identifier, packet('cid', notUtf8), signature));
  if (!decoded.ok) return t.fail(decoded.reason);
  const [caveat] = decoded.macaroon.caveats;
  t.deepEqual(caveat, { kind: 'first-party', cid: notUtf8, text: undefined });
});

test('a third-party caveat without a location differs from one with an empty location', (t) => {
  const locations = [[], [packet('cl', '')]].map((rest) => {
    const decoded = decodeMacaroon(tokenOf(location, identifier, cid, vid, ...rest, signature));
    const caveat = decoded.ok ? decoded.macaroon.caveats[0] : undefined;
    return caveat?.kind === 'third-party' ? caveat.location : 'not a third-party caveat';
  });
  t.deepEqual(locations, [undefined, '']);
});

const packets = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('location', 'identifier', 'cid', 'vid', 'cl', 'signature', 'foo'),
      fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.constant(Buffer.alloc(32, 1))),
    )
    .map(([key, value]) => packet(key, value)),
  fc.uint8Array({ maxLength: 12 }),
);

test('the decoder never throws, and what it accepts encodes to the same text', (t) => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => tokenOf(bytes)),
    fc.array(packets, { maxLength: 8 }).map((parts) => tokenOf(...parts)),
    fc.array(packets, { maxLength: 8 }).map((parts) => tokenOf(location, identifier, ...parts, signature)),
    fc.constantFrom(...wellFormed.map(({ token }) => token)),
  );
  let accepted = 0;
  fc.assert(
    fc.property(texts, fc.constantFrom('', '=', '=='), (text, padding) => {
      const decoded = decodeMacaroon(text + padding);
      if (!decoded.ok) return;
      accepted += 1;
      t.is(encodeMacaroon(decoded.macaroon), text);
    }),
    { numRuns: 3000 },
  );
  t.true(accepted > 100, 'the property would hold of a decoder that accepts nothing');
});
