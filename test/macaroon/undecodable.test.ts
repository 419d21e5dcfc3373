import test from 'ava';
import { whyUndecodable } from '#relay/macaroon/undecodable.js';
import { mint } from '../helpers/macaroons.js';
import { packet, tokenOf } from '../helpers/packets.js';

const whole = mint(['method = POST']);
const location = packet('location', 'x');
const nonsense = 'it does not begin like a macaroon, with the length of a packet';

for (const [text, reason] of [
  ['a"b"', 'its character 2, "\\"", is none of URL-safe base64'],
  ['"b"a', 'its character 1, "\\"", is none of URL-safe base64'],
  ["'b'", 'it stands in quotation marks'],
  ['aa💾', 'its character 3, "💾", is none of URL-safe base64'],
  ['AAA=', nonsense],
  ['A==AAA=', 'it is not URL-safe base64'],
  [
    tokenOf(location, '00'),
    `its packet 2, at byte ${location.length}, has only 2 bytes: was its end cut off?`,
  ],
  [
    tokenOf(location, location, '000'),
    `its packet 3, at byte ${2 * location.length}, has only 3 bytes: was its end cut off?`,
  ],
  [
    tokenOf(location, '0009'),
    `its packet 2, at byte ${location.length}, says it is 9 bytes long and only 4 are left: was its end cut off?`,
  ],
  [tokenOf('0008a bc'), 'its packet 1, at byte 0, does not end in a line feed'],
  [tokenOf('0007a \n'), 'its first packet is not a location'],
  [tokenOf(location), 'its second packet is not an identifier'],
] as const) {
  test(`why ${JSON.stringify(text)} is no macaroon is told: ${reason}`, (t) => {
    t.is(whyUndecodable(text), reason);
  });
}

test('nothing is the matter with a macaroon, padded or not', (t) => {
  t.is(whyUndecodable(whole), undefined);
  t.is(whyUndecodable(`${whole}${'='.repeat((4 - (whole.length % 4)) % 4)}`), undefined);
});
