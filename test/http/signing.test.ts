import test from 'ava';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { startRelay } from '../helpers/relay.js';
import { type Arrival, startDestination } from '../helpers/scripted_destination.js';

const oldKey = `whsec_${Buffer.alloc(24, 'old').toString('base64')}`;
const newKey = `whsec_${Buffer.alloc(64, 'new').toString('base64')}`;
const otherKey = `whsec_${Buffer.alloc(32, 'other').toString('base64')}`;

/** What a receiver that is written with the project's own library makes of a delivery; throws if it refuses. */
function receive({ headers, body }: Arrival, key: string): unknown {
  const texts = Object.entries(headers).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value] as const] : [],
  );
  return new Webhook(key).verify(body, Object.fromEntries(texts));
}

test('a receiver that knows either key accepts a delivery while a key is replaced', async (t) => {
  const relay = await startRelay(t, [`--signing-key=${oldKey}`, `--signing-key=${newKey}`]);
  const destination = await startDestination(t);
  const { json } = await relay.submit(destination.url, '{"größe": 1.0}');
  await relay.finished(json.id);
  const [arrival] = destination.arrivals;
  if (arrival === undefined) throw new Error('nothing arrived');
  t.is(arrival.headers['webhook-id'], json.id);
  for (const key of [oldKey, newKey]) t.deepEqual(receive(arrival, key), { größe: 1 });
  t.throws(() => receive(arrival, otherKey), { instanceOf: WebhookVerificationError });
});

test('a receiver notices a body, an id and a time that were changed on the way', async (t) => {
  const relay = await startRelay(t, [`--signing-key=${newKey}`]);
  const destination = await startDestination(t);
  const { json } = await relay.submit(destination.url, '{"amount":1}');
  await relay.finished(json.id);
  const [arrival] = destination.arrivals;
  if (arrival === undefined) throw new Error('nothing arrived');
  const { headers } = arrival;
  const later = String(Number(headers['webhook-timestamp']) + 1);
  for (const changed of [
    { ...arrival, body: Buffer.from('{"amount":2}') },
    { ...arrival, headers: { ...headers, 'webhook-id': 'another' } },
    { ...arrival, headers: { ...headers, 'webhook-timestamp': later } },
  ]) {
    t.throws(() => receive(changed, newKey), { instanceOf: WebhookVerificationError });
  }
  t.deepEqual(receive(arrival, newKey), { amount: 1 });
});

test('every attempt is signed anew under the same id', async (t) => {
  const relay = await startRelay(t, [`--signing-key=${newKey}`, '--attempts=2']);
  const destination = await startDestination(t, (_arrival, response) => {
    response.writeHead(destination.arrivals.length === 1 ? 503 : 200, { 'retry-after': '1' }).end();
  });
  const { json } = await relay.submit(destination.url);
  await relay.finished(json.id);
  const [first, second] = destination.arrivals;
  if (first === undefined || second === undefined) throw new Error('two attempts were to arrive');
  for (const arrival of [first, second]) t.deepEqual(receive(arrival, newKey), {});
  t.is(first.headers['webhook-id'], second.headers['webhook-id']);
  t.true(Number(second.headers['webhook-timestamp']) > Number(first.headers['webhook-timestamp']));
  t.not(first.headers['webhook-signature'], second.headers['webhook-signature']);
});

test('without a key nothing is signed', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const { json } = await relay.submit(destination.url);
  await relay.finished(json.id);
  t.deepEqual(
    Object.keys(destination.arrivals[0]?.headers ?? {}).filter((name) => name.startsWith('webhook-')),
    [],
  );
});
