import test from 'ava';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { signatureHeaders } from '#relay/delivery/sign.js';

// The vector that the tests of all of Standard Webhooks' own libraries share, such as "sign function works" in
// libraries/javascript/src/webhook.test.ts of standard-webhooks/standard-webhooks.
const published = {
  key: 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestampSeconds: 1614265330,
  body: '{"test": 2432232314}',
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};

function bytes(base64: string): Uint8Array {
  return Buffer.from(base64, 'base64');
}

test('the published vector of Standard Webhooks comes out', (t) => {
  t.deepEqual(signatureHeaders(published, [bytes(published.key)]), [
    ['webhook-id', published.id],
    ['webhook-timestamp', '1614265330'],
    ['webhook-signature', published.signature],
  ]);
});

test('several keys give a list of signatures, each the one its key gives alone', (t) => {
  const [one, two] = [bytes(published.key), Buffer.alloc(64, 7)];
  const signature = (keys: readonly Uint8Array[]): string | undefined =>
    signatureHeaders(published, keys)[2]?.[1];
  t.is(signature([one, two]), `${published.signature} ${String(signature([two]))}`);
});

test('without a key there is no header', (t) => {
  t.deepEqual(signatureHeaders(published, []), []);
});

test('whatever the key and the body, the signature is the one that the project’s own library makes', (t) => {
  const key = fc.uint8Array({ minLength: 24, maxLength: 64 });
  const body = fc.string({ unit: 'grapheme', maxLength: 200 });
  fc.assert(
    fc.property(key, body, fc.uuid(), fc.integer({ min: 0, max: 4e9 }), (raw, text, id, seconds) => {
      const [, , [, signature] = []] = signatureHeaders({ id, timestampSeconds: seconds, body: text }, [raw]);
      const library = new Webhook(Buffer.from(raw).toString('base64'));
      t.is(signature, library.sign(id, new Date(seconds * 1000), text));
    }),
  );
});
