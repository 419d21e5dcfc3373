import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import { eventually } from '../helpers/eventually.js';
import { mint, startRelay } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';

test('a held long poll is answered with Processing, and the next with Finished', async (t) => {
  const relay = await startRelay(t, ['--concurrency=1']);
  const blocker = await startDestination(t, () => undefined);
  const destination = await startDestination(t);
  const first = await relay.submit(blocker.url);
  await blocker.arrived(1);
  const { json } = await relay.submit(destination.url);
  const held = relay.post('/lp/export?timeout=20', { id: json.id });
  await relay.post('/export', { id: first.json.id, action: 'cancel' });
  t.is((await held).json.state, 'Processing');
  t.is((await relay.finished(json.id)).state, 'Finished');
});

test('a version that is out of date is answered at once, the current one is held', async (t) => {
  const relay = await startRelay(t);
  const destination = await startDestination(t, () => undefined);
  const { json, headers } = await relay.submit(destination.url);
  await destination.arrived(1);
  const stale = await relay.post(
    '/lp/export?timeout=20',
    { id: json.id },
    { headers: { 'if-none-match': String(headers['etag']) } },
  );
  t.like(stale, { json: { state: 'Processing' }, headers: { etag: '"2"' } });
  const current = await relay.post(
    '/lp/export?timeout=0.2',
    { id: json.id },
    { headers: { 'if-none-match': '"2"' } },
  );
  t.like(current, { status: 200, headers: { etag: '"2"' } });
});

for (const timeout of ['0', '-1', '-1e3', '0.0']) {
  test(`?timeout=${timeout} answers at once`, async (t) => {
    const relay = await startRelay(t);
    const destination = await startDestination(t, () => undefined);
    const { json } = await relay.submit(destination.url);
    await destination.arrived(1);
    t.is((await relay.post(`/lp/export?timeout=${timeout}`, { id: json.id })).json.state, 'Processing');
  });
}

test('a client that disconnects frees its waiter at once, and the job goes on', async (t) => {
  const relay = await startRelay(t, ['--max-waiters=1']);
  const destination = await startDestination(t, () => undefined);
  const { json } = await relay.submit(destination.url);
  await destination.arrived(1);
  const body = JSON.stringify({ id: json.id });
  const socket = connect(relay.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(
    `POST /lp/export?timeout=30 HTTP/1.1\r\nHost: x\r\nX-Api-Key: ${mint()}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  await eventually(() => relay.service.stats().waiters === 1);
  const refused = await relay.post('/lp/export?timeout=1', { id: json.id });
  t.like(refused, { status: 503, json: { code: 'too_many_waiters' } });
  t.regex(String(refused.headers['retry-after']), /^\d+$/);
  socket.resetAndDestroy();
  await eventually(() => relay.service.stats().waiters === 0);
  t.is((await relay.post('/export', { id: json.id })).json.state, 'Processing');
});

test('until takes Finished and nothing else', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const { json } = await relay.submit(destination.url);
  t.like(await relay.post('/lp/export?until=Processing', { id: json.id }), {
    status: 400,
    json: { code: 'invalid_request', errors: [{ field: 'until' }] },
  });
});

test('a stop answers every held long poll with the current state', async (t) => {
  const relay = await startRelay(t);
  const destination = await startDestination(t, () => undefined);
  const { json } = await relay.submit(destination.url);
  await destination.arrived(1);
  const held = Array.from({ length: 20 }, () =>
    relay.post('/lp/export?until=Finished&timeout=30', { id: json.id }),
  );
  await eventually(() => relay.service.stats().waiters === 20);
  const stopped = relay.service.stop(200);
  for (const answer of await Promise.all(held))
    t.like(answer, { status: 200, json: { state: 'Processing' } });
  await stopped;
});
