import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import process from 'node:process';
import { type TLSSocket } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { type ConnectError } from '#relay/delivery/connect_error.js';
import { eventually } from '../helpers/eventually.js';
import { type GuardedAgent, guardedAgent, type GuardedAgentOptions } from '../helpers/guarded_agent.js';
import { listenOnLoopback, type LoopbackServer } from '../helpers/loopback.js';
import { stubResolver } from '../helpers/resolver.js';
import { serverTls, testCa } from '../helpers/tls.js';

interface TlsDestination extends LoopbackServer {
  /** How many requests came through. */
  readonly requests: () => number;
  /** For each session: the name asked for, the protocol, and whether it was resumed. */
  readonly sessions: readonly {
    servername: string | false;
    protocol: string | null;
    resumed: boolean;
  }[];
}

async function destinationFor(t: ExecutionContext, options: ServerOptions): Promise<TlsDestination> {
  let requests = 0;
  const sessions: TlsDestination['sessions'][number][] = [];
  const server = createHttpsServer(options, (request, response) => {
    requests += 1;
    request.resume();
    response.setHeader('connection', 'close').end();
  });
  server.on('secureConnection', (socket: TLSSocket & { readonly servername: string | false }) => {
    const { servername } = socket;
    sessions.push({ servername, protocol: socket.getProtocol(), resumed: socket.isSessionReused() });
  });
  const listening = await listenOnLoopback(server);
  t.teardown(() => listening.close());
  return { ...listening, requests: () => requests, sessions };
}

function agentFor(t: ExecutionContext, options: GuardedAgentOptions = {}): GuardedAgent {
  const agent = guardedAgent({ lookup: stubResolver(['127.0.0.1']).lookup, ca: [testCa()], ...options });
  t.teardown(() => agent.close());
  return agent;
}

function failureOf(outcome: number | ConnectError): unknown {
  return typeof outcome === 'number' ? outcome : outcome.failure;
}

test('a destination with a good certificate is reached by name and by address', async (t) => {
  const { port, sessions } = await destinationFor(t, serverTls('localhost'));
  const agent = agentFor(t);
  t.is(await agent.post(`https://good.test:${port}/`), 200);
  t.is(await agent.post(`https://127.0.0.1:${port}/`), 200);
  t.deepEqual(
    sessions.map(({ servername }) => servername),
    ['good.test', false],
    'the name of the URL is asked for, and none for an address',
  );
});

const badCertificates: readonly (readonly [
  certificate: 'expired' | 'other_name' | 'self_signed',
  code: string,
])[] = [
  ['expired', 'CERT_HAS_EXPIRED'],
  ['other_name', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['self_signed', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
];

for (const [certificate, code] of badCertificates) {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`a certificate that is ${certificate} is refused every time, over ${maxVersion}`, async (t) => {
      const destination = await destinationFor(t, { ...serverTls(certificate), maxVersion });
      const agent = agentFor(t);
      // The second time there may be a session to resume, which skips the check of the name.
      for (let round = 0; round < 3; round += 1) {
        for (const host of ['good.test', '127.0.0.1']) {
          const outcome = await agent.post(`https://${host}:${destination.port}/`);
          t.deepEqual(failureOf(outcome), { reason: 'tls', code, certificate: true });
        }
      }
      t.is(destination.requests(), 0);
      await eventually(() => destination.open() === 0);
    });
  }
}

test('a certificate of an unknown authority is refused', async (t) => {
  const { port, requests } = await destinationFor(t, serverTls('localhost'));
  const outcome = await agentFor(t, { ca: [] }).post(`https://good.test:${port}/`);
  t.like(failureOf(outcome), { reason: 'tls', certificate: true });
  t.is(requests(), 0);
});

test.serial('NODE_TLS_REJECT_UNAUTHORIZED=0 does not switch verification off', async (t) => {
  const { port, requests } = await destinationFor(t, serverTls('self_signed'));
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  t.teardown(() => delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']);
  const outcome = await agentFor(t).post(`https://good.test:${port}/`);
  t.like(failureOf(outcome), { reason: 'tls', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  t.is(requests(), 0);
});

test('TLS 1.2 and 1.3 are spoken, TLS 1.1 is not', async (t) => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { port, sessions } = await destinationFor(t, { ...serverTls('localhost'), maxVersion });
    t.is(await agentFor(t).post(`https://good.test:${port}/`), 200);
    t.is(sessions[0]?.protocol, maxVersion);
  }
  const old = await destinationFor(t, {
    ...serverTls('localhost'),
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  });
  const outcome = await agentFor(t).post(`https://good.test:${old.port}/`);
  t.like(failureOf(outcome), { reason: 'tls', certificate: false });
  t.is(old.requests(), 0);
});

test('a session is resumed when the destination is met again', async (t) => {
  const { port, sessions } = await destinationFor(t, serverTls('localhost'));
  const agent = agentFor(t);
  t.is(await agent.post(`https://good.test:${port}/`), 200);
  t.is(await agent.post(`https://good.test:${port}/`), 200);
  t.deepEqual(
    sessions.map(({ resumed }) => resumed),
    [false, true],
  );
});

test('a handshake that hangs ends with the deadline, and its socket is closed', async (t) => {
  const silent = await listenOnLoopback(createTcpServer((socket) => socket.resume()));
  t.teardown(() => silent.close());
  const outcome = await agentFor(t, { timeoutMs: 100 }).post(`https://good.test:${silent.port}/`);
  t.deepEqual(failureOf(outcome), { reason: 'timeout', during: 'tls' });
  await eventually(() => silent.accepted() === 1 && silent.open() === 0);
});

test('a connection that breaks during the handshake is a failure to connect', async (t) => {
  for (const end of ['destroy', 'resetAndDestroy', 'end'] as const) {
    const breaking = await listenOnLoopback(
      createTcpServer((socket) => socket.once('data', () => socket[end]())),
    );
    t.teardown(() => breaking.close());
    const outcome = await agentFor(t).post(`https://good.test:${breaking.port}/`);
    t.deepEqual(failureOf(outcome), { reason: 'connect', code: 'ECONNRESET' }, end);
    await eventually(() => breaking.open() === 0);
  }
});

test('a connection that is reset as soon as it is accepted is a failure to connect', async (t) => {
  const resetting = await listenOnLoopback(createTcpServer((socket) => socket.resetAndDestroy()));
  t.teardown(() => resetting.close());
  const agent = agentFor(t);
  for (let round = 0; round < 20; round += 1) {
    const outcome = await agent.post(`https://good.test:${resetting.port}/`);
    t.like(failureOf(outcome), { reason: 'connect' });
  }
});

test('a destination that does not speak TLS is a failure of TLS, and not of its certificate', async (t) => {
  const plain = await listenOnLoopback(createHttpServer());
  t.teardown(() => plain.close());
  const outcome = await agentFor(t).post(`https://good.test:${plain.port}/`);
  t.like(failureOf(outcome), { reason: 'tls', certificate: false });
  await eventually(() => plain.open() === 0);
});
