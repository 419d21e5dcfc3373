import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import test from 'ava';
import { createBoundedServer } from '#relay/http/server.js';
import { eventually } from '../helpers/eventually.js';
import { listenOnLoopback } from '../helpers/loopback.js';
import { open, post, talk } from '../helpers/raw.js';
import { startRelay } from '../helpers/relay.js';
import { serverTls, testCa } from '../helpers/tls.js';

test('a connection that the system cannot give is reported, and the next is served', async (t) => {
  const refused: string[] = [];
  const server = createBoundedServer((_request, response) => response.end('served'), {
    maxConnections: 10,
    requestTimeoutMs: 1000,
    onRefused: (code) => refused.push(code),
    wantsUpgrade: () => false,
  });
  const loopback = await listenOnLoopback(server);
  t.teardown(() => loopback.close());
  // What Node emits where accept(2) fails and libuv's spare descriptor is gone too.
  server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
  t.deepEqual(refused, ['EMFILE']);
  t.regex(await talk(t, loopback, post('/', '{}', 'Connection: close')), /served$/);
});

test('connections beyond the bound are one line of the log a second, however many they are', async (t) => {
  const relay = await startRelay(t, ['--max-connections=1']);
  const first = await open(t, relay);
  for (let surplus = 0; surplus < 20; surplus += 1) {
    const socket = await open(t, relay);
    if (!socket.closed) await once(socket, 'close');
  }
  t.false(first.closed);
  await eventually(() => relay.log !== '');
  t.like(JSON.parse(relay.log.split('\n')[0] ?? ''), { level: 'warn', code: 'max_connections' });
  t.true(relay.log.trim().split('\n').length < 10);
});

for (const [protocol, certificate] of [
  ['HTTP', undefined],
  ['HTTPS', serverTls('localhost')],
] as const) {
  test(`whoever takes all connections does not shut out another address that has few: ${protocol}`, async (t) => {
    const refused: string[] = [];
    const server = createBoundedServer((_request, response) => response.end('served'), {
      maxConnections: 128,
      requestTimeoutMs: 5000,
      certificate,
      onRefused: (code) => refused.push(code),
      wantsUpgrade: () => false,
    });
    const loopback = await listenOnLoopback(server);
    t.teardown(() => loopback.close());
    const from = async (localAddress: string): Promise<Socket> => {
      const way = { port: loopback.port, host: '127.0.0.1', localAddress };
      const socket = certificate === undefined ? connect(way) : connectTls({ ...way, ca: testCa() });
      socket.on('error', () => undefined);
      t.teardown(() => socket.destroy());
      await once(socket, 'connect');
      return socket;
    };
    const isServed = async (socket: Socket): Promise<boolean> => {
      socket.write('GET / HTTP/1.1\r\nHost: relay\r\n\r\n');
      const answer = await new Promise<string>((resolve) => {
        socket.once('data', (bytes) => resolve(String(bytes)));
        socket.once('close', () => resolve(''));
      });
      return answer.endsWith('served');
    };
    const greedy: Socket[] = [];
    for (let number = 0; number < 128; number += 1) greedy.push(await from('127.0.0.1'));
    t.false(await isServed(await from('127.0.0.1')));
    t.deepEqual(refused, ['max_connections']);
    // Two, a 64th, for each of eight others make up the eighth that is left.
    for (let host = 2; host < 10; host += 1) {
      t.true(await isServed(await from(`127.0.0.${host}`)));
      t.true(await isServed(await from(`127.0.0.${host}`)));
      t.is(await isServed(await from(`127.0.0.${host}`)), false, `a third of 127.0.0.${host}`);
    }
    t.false(await isServed(await from('127.0.0.10')));
    const closed = once(greedy[0] ?? new Socket(), 'close');
    greedy[0]?.destroy();
    await closed;
    await eventually(() => loopback.open() < 144);
    t.true(await isServed(await from('127.0.0.10')));
  });
}
