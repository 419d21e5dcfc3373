import test from 'ava';
import { Confidential, keepMacaroon, keepSubmission } from '../helpers/confidential.js';
import { mintWith, startRelay } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';

const macaroon = mintWith({ identifier: 'an app', caveats: ['time < 2100-01-01T00:00:00Z'] });
const payload = '{"heart":"72 beats","at":"noon"}';
const signature = Buffer.from(macaroon, 'base64url').subarray(-33, -1);

const leaks: readonly (readonly [where: string, text: string, kind: RegExp])[] = [
  ['a macaroon', `{"key":"${macaroon}"}`, /^a macaroon is in /],
  ['the end of a macaroon', `…${macaroon.slice(-44)}`, /^the end of a macaroon is in /],
  ['a signature in hex', signature.toString('hex'), /^a macaroon's signature is in /],
  ['a payload', `data=${payload}`, /^a payload is in /],
  ['a payload within JSON', JSON.stringify({ data: payload }), /^a payload is in /],
  ['the root secret', '--secret=the root of all', /^a secret is in /],
  ['a header', 'Bearer of-the-destination', /^a header for a destination is in /],
];

for (const [what, text, kind] of leaks) {
  test(`a relay that shows ${what} fails its test`, async (t) => {
    const confidential = new Confidential(['--secret=the root of all']);
    keepMacaroon(macaroon);
    keepSubmission({
      uri: 'http://a.example/',
      data: payload,
      headers: { authorization: 'Bearer of-the-destination' },
    });
    confidential.see('the log', `{"msg":"request"}\n${text}\n`);
    await t.throwsAsync(confidential.look(), { message: kind });
  });
}

test('what is shown on purpose is no leak', async (t) => {
  const confidential = new Confidential([]);
  keepSubmission({ uri: 'http://a.example/', data: '"the reason"', purpose: 'because of "the reason"' });
  confidential.see('/api/exports', '{"purpose":"because of \\"the reason\\""}');
  await t.notThrowsAsync(confidential.look());
});

test('what a test does with a relay is looked for in what that relay leaves', async (t) => {
  const confidential = new Confidential([]);
  const destination = await startDestination(t, (_arrival, response) => response.end('an answer of its own'));
  const relay = await startRelay(t);
  const { json } = await relay.submit(destination.url, payload, { macaroon });
  await relay.finished(json.id, { macaroon });
  confidential.see('the log', `${relay.log} an answer of its own`);
  await t.throwsAsync(confidential.look(), { message: /^a destination's answer is in the log/ });
});
