import { once } from 'node:events';
import test from 'ava';
import { createBoundedServer } from '#relay/http/server.js';
import { eventually } from '../helpers/eventually.js';
import { listenOnLoopback } from '../helpers/loopback.js';
import { open, post, talk } from '../helpers/raw.js';
import { startRelay } from '../helpers/relay.js';

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
