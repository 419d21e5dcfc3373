import test from 'ava';
import { decodeMacaroon } from '#relay/macaroon/token.js';
import { packet, tokenOf } from '../helpers/packets.js';

const signature = packet('signature', Buffer.alloc(32, 0xff));

/** Unpadded, and of each length modulo 4 that base64 has. */
const tokens = ['', 'x', 'xy'].map((name) =>
  tokenOf(packet('location', ''), packet('identifier', name), signature),
);

test('padding is optional, but right where it is', (t) => {
  const right = tokens.map((token) =>
    token.length % 4 === 0 ? [''] : ['', '='.repeat(4 - (token.length % 4))],
  );
  const accepted = tokens.map((token) =>
    ['', '=', '==', '===', '===='].filter((padding) => decodeMacaroon(token + padding).ok),
  );
  t.deepEqual(accepted, right);
  t.deepEqual(right.flat().sort(), ['', '', '', '=', '==']);
});

const spellings: readonly { readonly why: string; readonly respell: (token: string) => string }[] = [
  { why: 'a space', respell: (token) => `${token.slice(0, 8)} ${token.slice(8)}` },
  { why: 'a line break', respell: (token) => `${token}\n` },
  { why: 'a NUL', respell: (token) => `${token}\0` },
  { why: 'a comma', respell: (token) => `,${token}` },
  { why: 'padding in the middle', respell: (token) => `${token.slice(0, 8)}==${token.slice(8)}` },
  { why: 'text after the padding', respell: (token) => `${token}==AAA` },
  { why: 'one character too few', respell: (token) => token.slice(0, -1) },
  { why: 'one character too many', respell: (token) => `${token}A` },
  { why: 'the standard alphabet', respell: (token) => token.replaceAll('_', '/') },
  { why: 'a letter of full width', respell: (token) => token.replace('M', '\uff2d') },
  { why: 'a character whose low byte is a letter', respell: (token) => token.replace('M', '\u014d') },
];

for (const { why, respell } of spellings) {
  test(`a token has one spelling: ${why} makes it malformed`, (t) => {
    for (const token of tokens) {
      t.true(decodeMacaroon(token).ok);
      t.not(respell(token), token);
      t.false(decodeMacaroon(respell(token)).ok);
    }
  });
}

test('the bits of the last character that no byte holds must be zero', (t) => {
  // Every token ends in a line feed, 0x0a: "o" with two spare bits, "g" with four, "K" with none.
  const spare = tokens.flatMap((token) => {
    const others = spareOf.get(token.at(-1)) ?? '';
    return Array.from(others, (other) => token.slice(0, -1) + other);
  });
  t.is(spare.length, 3 + 15);
  for (const token of spare) t.false(decodeMacaroon(token).ok, token.slice(-4));
});

const spareOf = new Map<string | undefined, string>([
  ['o', 'pqr'],
  ['g', 'hijklmnopqrstuv'],
]);

test('4096 characters are allowed and 4097 are not', (t) => {
  const ofBytes = (bytes: number) => {
    const fill = (size: number) =>
      tokenOf(packet('location', ''), packet('identifier', 'a'.repeat(size)), signature);
    return fill(bytes - Buffer.from(fill(0), 'base64url').length);
  };
  t.is(ofBytes(3072).length, 4096);
  t.true(decodeMacaroon(ofBytes(3072)).ok);
  t.deepEqual(decodeMacaroon(ofBytes(3073)), { ok: false, reason: 'it is longer than 4096 characters' });
});
