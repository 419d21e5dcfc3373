import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import test from 'ava';
import { eventually } from '../helpers/eventually.js';
import { FakeClock } from '../helpers/fake_clock.js';
import { closeCodeIn, frameOf, jsonFrame, openRaw, rest } from '../helpers/raw_socket.js';
import { mint, startRelay } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';
import { openSocket } from '../helpers/sockets.js';

const mb = 1024 * 1024;

test('a peer that does not read is closed with 1013 once more than 8 MiB wait, and its waiters are freed', async (t) => {
  const relay = await startRelay(t, ['--max-response=4mb', '--max-memory=256mb', '--lane-concurrency=4']);
  const body = 'x'.repeat(4 * mb);
  const destination = await startDestination(t, ({ path }, response) => {
    if (path.endsWith('/quick')) response.end(body);
  });
  const socket = await openRaw(t, relay);
  socket.pause();
  socket.write(jsonFrame({ id: '', uri: `${destination.url}/never`, data: '{}' }));
  await eventually(() => relay.service.stats().waiters === 1);
  for (let index = 0; index < 12; index += 1) {
    socket.write(jsonFrame({ id: '', uri: `${destination.url}/quick`, data: '{}' }));
  }
  await destination.arrived(6);
  await eventually(() => relay.service.stats().finished === 12);
  await eventually(() => relay.service.stats().waiters === 0);
  const received = await rest(socket.resume().end());
  t.is(closeCodeIn(received), 1013);
  t.true(received.length > 8 * mb && received.length < 32 * mb, String(received.length));
  await eventually(() => relay.logged('websocket').length === 1);
  t.like(relay.logged('websocket')[0], { close_code: 1013 });
});

test('what all peers together do not read is bounded: who has kept frames waiting longest is cut off', async (t) => {
  const relay = await startRelay(t, ['--max-memory=4mb']);
  const destination = await startDestination(t, (_arrival, response) => response.end('x'.repeat(mb)));
  const { json } = await relay.submit(destination.url);
  await relay.finished(json.id);
  // Each of them keeps less waiting than closes it alone.
  for (let peer = 0; peer < 5; peer += 1) {
    const socket = await openRaw(t, relay);
    socket.pause();
    for (let question = 0; question < 7; question += 1) socket.write(jsonFrame({ id: json.id }));
  }
  await eventually(() => relay.logged('websocket').length > 0);
  t.like(relay.logged('websocket')[0], { close_code: 1006 });
  const reader = await openSocket(t, relay);
  for (let question = 0; question < 20; question += 1) {
    t.like(await reader.ask({ id: json.id }), { state: 'Finished' });
  }
});

test('a peer that reads gets any number of large answers', async (t) => {
  const relay = await startRelay(t, ['--max-response=4mb', '--lane-concurrency=2']);
  const destination = await startDestination(t, (_arrival, response) => response.end('x'.repeat(4 * mb)));
  const client = await openSocket(t, relay);
  for (let index = 0; index < 8; index += 1) {
    const { id } = await client.ask({ id: '', uri: destination.url, data: '{}' });
    await client.frame((frame) => frame.id === id && frame.state === 'Finished');
  }
  t.is(client.frames.filter(({ state }) => state === 'Finished').length, 8);
});

test('a peer that pings and reads nothing cannot fill the memory', async (t) => {
  const relay = await startRelay(t);
  const socket = await openRaw(t, relay);
  socket.pause();
  const pings = Buffer.concat(Array.from({ length: 10_000 }, () => frameOf(9, Buffer.alloc(125))));
  let sent = 0;
  const closed = once(socket, 'close');
  const pump = (): void => {
    while (!socket.destroyed && sent < 400 * mb) {
      sent += pings.length;
      if (!socket.write(pings)) return void socket.once('drain', pump);
    }
  };
  pump();
  await eventually(() => relay.logged('websocket').length === 1, 20_000);
  t.true(sent < 400 * mb, String(sent));
  socket.destroy();
  await closed;
});

test('a peer that misses two pings is closed; one that answers stays', async (t) => {
  const clock = new FakeClock();
  const relay = await startRelay(t, [], { clock });
  const alive = await openSocket(t, relay);
  const silent = await openSocket(t, relay, { autoPong: false });
  let pings = 0;
  silent.ws.on('ping', () => (pings += 1));
  for (let round = 1; round <= 2; round += 1) {
    const pinged = once(alive.ws, 'ping');
    await clock.advance(30_000);
    await pinged;
    // The answer to a frame comes behind the pong that was sent before it.
    await alive.ask({ id: 'x' });
    await eventually(() => pings === round);
    t.is(silent.ws.readyState, silent.ws.OPEN);
  }
  await clock.advance(29_999);
  t.is(silent.ws.readyState, silent.ws.OPEN);
  await clock.advance(1);
  t.is((await silent.closed).code, 1006);
  t.is(alive.ws.readyState, alive.ws.OPEN);
  t.like(await alive.ask({ id: 'x' }), { code: 'unknown_job' });
});

test('a pong in between starts the count again', async (t) => {
  const clock = new FakeClock();
  const relay = await startRelay(t, [], { clock });
  const client = await openSocket(t, relay, { autoPong: false });
  for (let round = 1; round <= 6; round += 1) {
    const pinged = once(client.ws, 'ping');
    await clock.advance(30_000);
    await pinged;
    if (round % 2 === 0) {
      client.ws.pong();
      await client.ask({ id: 'x' });
    }
  }
  t.is(client.ws.readyState, client.ws.OPEN);
});

test('while frames wait for the relay no ping is missed, and the count begins anew behind them', async (t) => {
  const clock = new FakeClock();
  let found = (): void => undefined;
  const finding = new Promise<void>((resolve) => (found = resolve));
  const asked: string[] = [];
  const lookup = async (name: string): Promise<readonly LookupAddress[]> => {
    asked.push(name);
    await finding;
    return [{ address: '203.1.113.7', family: 4 }];
  };
  const relay = await startRelay(t, ['--attempt-timeout=10m'], { clock, lookup, production: true });
  const client = await openSocket(t, relay, { autoPong: false });
  const beat = async (): Promise<void> => {
    const pinged = once(client.ws, 'ping');
    await clock.advance(30_000);
    await pinged;
  };
  for (let round = 1; round <= 2; round += 1) await beat();
  for (let index = 0; index < 40; index += 1) {
    client.send({ id: '', uri: 'https://receiver.example/in', data: '{}', dry_run: true });
  }
  await eventually(() => asked.length > 0);
  for (let round = 1; round <= 4; round += 1) await beat();
  t.is(client.ws.readyState, client.ws.OPEN);
  found();
  await eventually(() => client.frames.length === 40);
  for (let round = 1; round <= 2; round += 1) await beat();
  await clock.advance(30_000);
  t.is((await client.closed).code, 1006);
});

test('a frame over --max-body closes the socket with 1009, whole or in fragments', async (t) => {
  const relay = await startRelay(t, ['--max-body=1kb']);
  const whole = await openSocket(t, relay);
  whole.send({ id: '', data: 'x'.repeat(1024) });
  t.is((await whole.closed).code, 1009);
  const fragments = await openSocket(t, relay);
  for (let index = 0; index < 3; index += 1) fragments.ws.send('x'.repeat(500), { fin: false });
  t.is((await fragments.closed).code, 1009);
  const fits = await openSocket(t, relay);
  fits.send(`{"id":"x"}${' '.repeat(1014)}`);
  t.like(await fits.frame(() => true), { code: 'unknown_job' });
});

test('frames that clients hold back are bounded together: the one that was begun first is given up', async (t) => {
  const relay = await startRelay(t, ['--max-body=100kb', '--max-memory=400kb', '--max-response=1kb']);
  const follower = await openSocket(t, relay);
  follower.ws.pong('x'.repeat(100));
  const begun = Buffer.concat([
    frameOf(1, Buffer.alloc(50_000, ' '), { final: false }),
    // What comes between fragments does not hide them.
    frameOf(9, Buffer.alloc(100)),
    frameOf(0, Buffer.alloc(20_000, ' '), { final: false }),
  ]);
  const sockets = [await openRaw(t, relay), await openRaw(t, relay), await openRaw(t, relay)];
  const ended = sockets.map(async (socket, number) => ({ number, code: closeCodeIn(await rest(socket)) }));
  for (const socket of sockets) {
    socket.write(begun);
    await once(socket, 'data');
  }
  t.deepEqual(await Promise.race(ended), { number: 0, code: 1013 });
  t.false(sockets[1]?.destroyed);
  follower.send({ id: 'x' });
  t.like(await follower.frame(() => true), { code: 'unknown_job' }, 'what is only held open is left alone');
});

test('a frame in more pieces than anybody needs closes the socket with 1008', async (t) => {
  const relay = await startRelay(t);
  const fitting = await openSocket(t, relay);
  for (const piece of '{"id":"x"}') fitting.ws.send(piece, { fin: false });
  fitting.ws.send('', { fin: true });
  t.like(await fitting.frame(() => true), { code: 'unknown_job' });
  const socket = await openRaw(t, relay);
  const pieces = Buffer.concat(
    Array.from({ length: 1024 }, () => frameOf(0, Buffer.from(' '), { final: false })),
  );
  socket.write(Buffer.concat([frameOf(1, Buffer.from(' '), { final: false }), pieces]));
  t.is(closeCodeIn(await rest(socket)), 1008);
});

test('binary frames close with 1003, text that is not UTF-8 with 1007', async (t) => {
  const relay = await startRelay(t);
  const binary = await openSocket(t, relay);
  binary.ws.send(Buffer.from('{"id":"x"}'));
  t.like(await binary.closed, { code: 1003, reason: 'frames must be text' });
  const garbled = await openSocket(t, relay);
  garbled.ws.send(Buffer.from([0x22, 0xff, 0x22]), { binary: false });
  t.is((await garbled.closed).code, 1007);
});

for (const [what, bytes] of [
  ['an unmasked frame', Buffer.from([0x81, 0x02, 0x7b, 0x7d])],
  ['a reserved bit', Buffer.from([0xc1, 0x80, 0, 0, 0, 0])],
  ['an unknown opcode', Buffer.from([0x83, 0x80, 0, 0, 0, 0])],
  ['a continuation of nothing', Buffer.from([0x80, 0x80, 0, 0, 0, 0])],
  ['an HTTP request', Buffer.from('GET /ws/export HTTP/1.1\r\n\r\n')],
] as const) {
  test(`${what} closes the socket with 1002`, async (t) => {
    const relay = await startRelay(t);
    const socket = await openRaw(t, relay);
    socket.write(bytes);
    t.is(closeCodeIn(await rest(socket)), 1002);
    t.deepEqual(relay.logged('bug'), []);
  });
}

test('a time caveat that passes ends the pushes and closes with 1008', async (t) => {
  const clock = new FakeClock(Date.UTC(2030, 0, 1));
  const relay = await startRelay(t, [], { clock });
  const destination = await startDestination(t, () => undefined);
  const macaroon = mint('time < 2030-01-01T01:00:00Z', 'time < 2030-01-01T00:00:20Z');
  const client = await openSocket(t, relay, { macaroon });
  const { id } = await client.ask({ id: '', uri: destination.url, data: '{}' });
  await client.frame(({ state }) => state === 'Processing');
  await clock.advance(19_999);
  t.like(await client.ask({ id }), { state: 'Processing' });
  await clock.advance(1);
  t.like(await client.closed, { code: 1008, reason: 'a time caveat of the macaroon has passed' });
  t.is(relay.service.stats().waiters, 0);
});

test('a clock that is set forward is noticed at the next frame', async (t) => {
  const clock = new FakeClock(Date.UTC(2030, 0, 1));
  const relay = await startRelay(t, [], { clock });
  const client = await openSocket(t, relay, { macaroon: mint('time < 2030-01-02T00:00:00Z') });
  clock.jumpWallClock(24 * 3600 * 1000);
  t.like(await client.ask({ id: 'x' }), {
    status: 401,
    code: 'caveat_not_satisfied',
    caveat: 'time < 2030-01-02T00:00:00Z',
  });
  t.is((await client.closed).code, 1008);
});

test('a clock that is set back keeps a socket open, and one set forward is noticed at the next push', async (t) => {
  const clock = new FakeClock(Date.UTC(2030, 0, 1));
  const relay = await startRelay(t, [], { clock });
  const destination = await startDestination(t, () => undefined);
  const client = await openSocket(t, relay, { macaroon: mint('time < 2030-01-01T00:00:20Z') });
  const { id } = await client.ask({ id: '', uri: destination.url, data: '{}' });
  await destination.arrived(1);
  clock.jumpWallClock(-10_000);
  await clock.advance(20_000);
  t.like(await client.ask({ id }), { state: 'Processing' });
  clock.jumpWallClock(10_000);
  await relay.post('/export', { id, action: 'cancel' });
  t.is((await client.closed).code, 1008);
  t.is(client.about(id).at(-1)?.state, 'Processing');
});

test('a macaroon that is good for years sets no timer that ends at once', async (t) => {
  const clock = new FakeClock(Date.UTC(2030, 0, 1));
  const relay = await startRelay(t, [], { clock });
  const client = await openSocket(t, relay, { macaroon: mint('time < 2130-01-01T00:00:00Z') });
  t.like(await client.ask({ id: 'x' }), { code: 'unknown_job' });
});

test('frames beyond what is in work wait with the client, and all are answered in order', async (t) => {
  const relay = await startRelay(t);
  const client = await openSocket(t, relay);
  for (let index = 0; index < 5000; index += 1) client.send({ id: 'x', ref: String(index) });
  await eventually(() => client.frames.length === 5000);
  t.deepEqual(
    client.frames.map(({ ref }) => ref),
    Array.from({ length: 5000 }, (_, index) => String(index)),
  );
});
