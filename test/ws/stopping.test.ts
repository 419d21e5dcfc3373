import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import test from 'ava';
import { judgeHandshake } from '#relay/ws/handshake.js';
import { eventually } from '../helpers/eventually.js';
import { mint, startRelay } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';
import { openSocket, refusedHandshake } from '../helpers/sockets.js';

test('a stop answers what was asked, closes held sockets with 1001 and does not wait for the silent', async (t) => {
  const relay = await startRelay(t);
  const destination = await startDestination(t, () => undefined);
  const client = await openSocket(t, relay);
  const deaf = await openSocket(t, relay);
  const { id } = await client.ask({ id: '', uri: destination.url, data: '{}' });
  await client.frame(({ state }) => state === 'Processing');
  deaf.ws.pause();
  for (let index = 0; index < 100; index += 1) client.send({ id, ref: String(index) });
  await client.frame(({ ref }) => ref === '0');
  const begunAtMs = performance.now();
  await relay.service.stop(100);
  t.true(performance.now() - begunAtMs < 4000);
  t.like(await client.closed, { code: 1001, reason: 'the relay is stopping' });
  // Whatever has been read is answered, with the job as it stands, and nothing is answered twice.
  const answered = client.frames.flatMap(({ ref, state }) => (ref?.length === 1 ? [`${ref} ${state}`] : []));
  t.deepEqual(
    answered,
    Array.from({ length: answered.length }, (_, index) => `${index} Processing`),
  );
  await eventually(() => relay.logged('websocket').length === 2);
  t.is(relay.service.stats().waiters, 0);
  t.deepEqual(relay.logged('bug'), []);
});

test('while the relay stops, no socket opens, and other questions are still answered', async (t) => {
  const relay = await startRelay(t);
  const destination = await startDestination(t, () => undefined);
  const { json } = await relay.submit(destination.url);
  await destination.arrived(1);
  const stopped = relay.service.stop(1500);
  t.like(await refusedHandshake(t, relay), { status: 503, json: { code: 'shutting_down' } });
  t.like(await relay.post('/export', { id: json.id }), { json: { state: 'Processing' } });
  await relay.post('/export', { id: json.id, action: 'cancel' });
  await stopped;
});

test('a stop with sockets that do nothing takes no time', async (t) => {
  const relay = await startRelay(t);
  const clients = await Promise.all(Array.from({ length: 50 }, () => openSocket(t, relay)));
  const begunAtMs = performance.now();
  await relay.service.stop(10_000);
  t.true(performance.now() - begunAtMs < 1000);
  for (const { closed } of clients) t.is((await closed).code, 1001);
});

test('no socket opens before the relay knows its secret', (t) => {
  const request = new IncomingMessage(new Socket());
  Object.assign(request, { httpVersion: '1.1', method: 'GET' });
  Object.assign(request.headers, {
    'host': 'relay',
    'connection': 'Upgrade',
    'upgrade': 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'x-api-key': mint(),
  });
  const facts = { corsOrigins: [], verifier: undefined, name: 'export-service', nowMs: 0, stopping: false };
  t.like(judgeHandshake(request, facts), { ok: false, failure: { code: 'no_secret' } });
});
