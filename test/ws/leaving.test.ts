import test from 'ava';
import { eventually } from '../helpers/eventually.js';
import { FakeClock } from '../helpers/fake_clock.js';
import { jsonFrame, openRaw } from '../helpers/raw_socket.js';
import { mint, startRelay } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';
import { dial, openSocket } from '../helpers/sockets.js';

test('a client that vanishes frees its waiters', async (t) => {
  const relay = await startRelay(t, ['--lane-concurrency=10']);
  const destination = await startDestination(t, () => undefined);
  for (const vanish of ['resetAndDestroy', 'destroy', 'end'] as const) {
    const socket = await openRaw(t, relay);
    for (let index = 0; index < 3; index += 1) {
      socket.write(jsonFrame({ id: '', uri: destination.url, data: '{}' }));
    }
    await eventually(() => relay.service.stats().waiters === 3);
    socket[vanish]();
    await eventually(() => relay.service.stats().waiters === 0);
  }
  await eventually(() => relay.logged('websocket').length === 3);
  t.deepEqual(relay.logged('bug'), []);
  t.is(relay.service.stats().processing, 9);
});

test('a thousand sockets open and close and leave nothing behind', async (t) => {
  const clock = new FakeClock();
  const relay = await startRelay(t, ['--lane-concurrency=2000', '--concurrency=2000'], { clock });
  const destination = await startDestination(t, () => undefined);
  const { json } = await relay.submit(destination.url);
  await destination.arrived(1);
  await clock.advance(0);
  const armed = clock.armed;
  const macaroon = mint('time < 2031-01-01T00:00:00Z');
  const clients = await Promise.all(Array.from({ length: 1000 }, () => openSocket(t, relay, { macaroon })));
  for (const client of clients) client.send({ id: json.id });
  await eventually(() => relay.service.stats().waiters === 1000, 20_000);
  t.true(clock.armed >= armed + 3000);
  for (const [index, { ws }] of clients.entries()) {
    if (index % 3 === 0) ws.terminate();
    else ws.close(index % 3 === 1 ? 1000 : 4000);
  }
  await eventually(() => relay.logged('websocket').length === 1000, 20_000);
  t.is(relay.service.stats().waiters, 0);
  t.is(clock.armed, armed);
  t.deepEqual(relay.logged('bug'), []);
});

test('sockets count among the connections there may be', async (t) => {
  const relay = await startRelay(t, ['--max-connections=2']);
  const clients = [await openSocket(t, relay), await openSocket(t, relay)];
  const third = dial(t, relay);
  t.is((await third.closed).code, 1006);
  clients[0]?.ws.close();
  await clients[0]?.closed;
  await eventually(() => relay.logged('websocket').length === 1);
  t.like(await (await openSocket(t, relay)).ask({ id: 'x' }), { code: 'unknown_job' });
});
