import { connect, createServer as createTcpServer } from 'node:net';
import type { TlsOptions } from 'node:tls';
import test from 'ava';
import { answersAndCloses } from '../helpers/answers.js';
import { eventually } from '../helpers/eventually.js';
import { listenOnLoopback } from '../helpers/loopback.js';
import { behave, type Behaviour, startRawDestination } from '../helpers/raw_destination.js';
import { stubResolver } from '../helpers/resolver.js';
import { brief, startSender } from '../helpers/sender.js';
import { serverTls, testCa } from '../helpers/tls.js';

const { lookup } = stubResolver(['127.0.0.1']);
const good = serverTls('localhost');
const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

const refused: readonly (readonly [name: string, tls: TlsOptions, ca?: readonly string[]])[] = [
  ['a certificate of an unknown authority', good, []],
  ['a certificate signed by itself', serverTls('self_signed')],
  ['a certificate for another host', serverTls('other_name')],
  ['a certificate that has expired', serverTls('expired')],
  ['TLS 1.1', { ...good, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }],
  [
    'a demand for our certificate',
    { ...good, requestCert: true, rejectUnauthorized: true, maxVersion: 'TLSv1.2' },
  ],
  ['no cipher in common', { ...good, ciphers: 'PSK-AES128-CBC-SHA', maxVersion: 'TLSv1.2' }],
];

for (const [name, tls, ca = [testCa()]] of refused) {
  test(`${name}: tls_failed, and nothing was sent`, async (t) => {
    const destination = await startRawDestination(t, [], { tls });
    const sender = startSender(t, { lookup, ca });
    t.is(brief(await sender.send(`https://good.test:${destination.port}/`)), 'tls_failed');
    t.deepEqual(destination.requests, []);
    await eventually(() => destination.open() === 0);
    t.is(sender.connections(), 0);
  });
}

test('with TLS 1.3 a demand for our certificate shows after the handshake: no answer either way', async (t) => {
  const tls = { ...good, requestCert: true, rejectUnauthorized: true };
  const destination = await startRawDestination(t, [], { tls });
  const sender = startSender(t, { lookup, ca: [testCa()] });
  // Whether the alert is read before the connection breaks is up to the network.
  t.regex(
    brief(await sender.send(`https://good.test:${destination.port}/`)),
    /^(tls_failed|connection_reset)$/,
  );
  t.deepEqual(destination.requests, []);
});

test('bytes that somebody else put between: tls_failed', async (t) => {
  let inject: () => void = () => undefined;
  const behaviour: Behaviour = async (peer) => {
    await peer.request();
    inject();
  };
  const destination = await startRawDestination(t, [behaviour], { tls: good });
  const between = createTcpServer((client) => {
    const upstream = connect(destination.port, '127.0.0.1').on('error', () => undefined);
    client.pipe(upstream).pipe(client);
    inject = () => client.write('\x17\x03\x03\0\x20' + 'x'.repeat(32), 'latin1');
  });
  const proxy = await listenOnLoopback(between);
  t.teardown(() => proxy.close());
  const sender = startSender(t, { lookup, ca: [testCa()] });
  t.is(brief(await sender.send(`https://good.test:${proxy.port}/`)), 'tls_failed');
  await eventually(() => proxy.open() === 0);
});

test('a port that speaks plain HTTP: tls_failed', async (t) => {
  const destination = await startRawDestination(t, [(peer) => peer.send('HTTP/1.1 400 Bad Request\r\n\r\n')]);
  const sender = startSender(t, { lookup });
  t.is(brief(await sender.send(`https://good.test:${destination.port}/`)), 'tls_failed');
});

for (const end of ['end', 'resetAndDestroy'] as const) {
  test(`a connection that breaks in the handshake (${end}): connect_failed`, async (t) => {
    const breaking = await listenOnLoopback(
      createTcpServer((socket) => socket.once('data', () => socket[end]())),
    );
    t.teardown(() => breaking.close());
    const sender = startSender(t, { lookup });
    t.is(brief(await sender.send(`https://good.test:${breaking.port}/`)), 'connect_failed');
  });
}

test('a handshake that hangs: timeout, and its socket is closed with the attempt', async (t) => {
  const silent = await listenOnLoopback(createTcpServer((socket) => socket.resume()));
  t.teardown(() => silent.close());
  const sender = startSender(t, { lookup });
  const outcome = await sender.send(`https://good.test:${silent.port}/`, { timeoutMs: 50 });
  t.is(brief(outcome), 'timeout');
  await eventually(() => silent.accepted() === 1 && silent.open() === 0);
  t.is(sender.connections(), 0);
});

const rows: readonly (readonly [name: string, behaviour: Behaviour, expected: string])[] = [
  ['an answer', answersAndCloses(ok), '200 ok'],
  ['100 Continue first', answersAndCloses(`HTTP/1.1 100 Continue\r\n\r\n${ok}`), '200 ok'],
  ['the end within the head', answersAndCloses(ok.slice(0, 20)), 'connection_reset'],
  ['the end within the body', answersAndCloses(ok.slice(0, -1)), '200 o…'],
  ['101', answersAndCloses('HTTP/1.1 101 Switching Protocols\r\n\r\n'), 'bad_response'],
];

for (const [name, behaviour, expected] of rows) {
  test(`over TLS, ${name}: ${expected}`, async (t) => {
    const destination = await startRawDestination(t, [behaviour], { tls: good });
    const sender = startSender(t, { lookup, ca: [testCa()] });
    const uri = `https://good.test:${destination.port}/`;
    t.is(brief(await sender.send(uri)), expected);
    t.is(brief(await sender.send(uri)), '200 fine!');
  });
}

test('over TLS, connections are used again, and bytes that come meanwhile close them', async (t) => {
  const destination = await startRawDestination(
    t,
    [
      async (peer) => {
        await peer.request();
        peer.send(ok);
        await peer.request();
        peer.send(ok);
        await new Promise((resolve) => setTimeout(resolve, 30));
        peer.send(ok);
      },
      behave,
    ],
    { tls: good },
  );
  const sender = startSender(t, { lookup, ca: [testCa()] });
  const uri = `https://good.test:${destination.port}/`;
  t.is(brief(await sender.send(uri)), '200 ok');
  t.is(brief(await sender.send(uri)), '200 ok');
  t.is(destination.accepted(), 1);
  await eventually(() => sender.connections() === 0);
  t.is(brief(await sender.send(uri)), '200 fine!');
});
