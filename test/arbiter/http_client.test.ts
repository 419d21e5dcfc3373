import { getEventListeners, once } from 'node:events';
import type { RequestListener } from 'node:http';
import MacaroonsDeSerializer from 'macaroons.js/lib/MacaroonsDeSerializer.js';
import MacaroonsVerifier from 'macaroons.js/lib/MacaroonsVerifier.js';
import test, { type ExecutionContext } from 'ava';
import { createArbiterFetch } from '#relay/arbiter/arbiter_fetch.js';
import { parseArbiterEndpoint } from '#relay/arbiter/endpoint.js';
import type { FetchOutcome, SecretFetch } from '#relay/arbiter/outcome.js';
import { WatchedSource } from '../helpers/arbiter_source.js';
import { HttpArbiter } from '../helpers/http_arbiter.js';
import { serverTls, testCa } from '../helpers/tls.js';
import { SilentServer } from '../helpers/silent_server.js';

const token = Buffer.from('token-of-export-service');
const never = (): AbortSignal => new AbortController().signal;

interface FetchSetup {
  readonly token?: Uint8Array;
  readonly rootCa?: string | undefined;
  readonly timeoutMs?: number;
}

async function fetchFrom(address: string, setup: FetchSetup = {}): Promise<SecretFetch> {
  const parsed = parseArbiterEndpoint(address);
  if (!parsed.ok) throw new TypeError(parsed.reason);
  const made = await createArbiterFetch({
    endpoint: parsed.endpoint,
    token,
    serverKey: undefined,
    rootCa: undefined,
    serviceName: 'export-service',
    ...setup,
  });
  if (!made.ok) throw new TypeError(made.mistakes.join());
  return made.fetch;
}

async function start(t: ExecutionContext, scheme: 'http' | 'https' = 'http', port = 0): Promise<HttpArbiter> {
  const arbiter = await HttpArbiter.start(scheme, port);
  t.teardown(() => arbiter.close());
  return arbiter;
}

test('the secret comes over HTTP with the token as key, and the request is nothing more than that', async (t) => {
  const arbiter = await start(t);
  arbiter.register(token.toString());
  const fetch = await fetchFrom(`${arbiter.endpoint}/`);
  t.deepEqual(await fetch(never()), { reason: 'secret', secret: arbiter.secret });
  const [request] = arbiter.requests;
  t.is(request?.method, 'GET');
  t.is(request?.url, '/store/secret');
  t.deepEqual(request?.headers, {
    'x-api-key': token.toString(),
    'host': `127.0.0.1:${arbiter.port}`,
    'connection': 'close',
  });
});

test('what the arbiter mints verifies with the secret, however often that is asked for', async (t) => {
  const arbiter = await start(t);
  arbiter.register(token.toString());
  const fetch = await fetchFrom(arbiter.endpoint);
  const first = await fetch(never());
  t.deepEqual(await fetch(never()), first);
  const macaroon = MacaroonsDeSerializer.deserialize(
    arbiter.mint('export-service', '/export', 'POST', ['destination = https://a/']),
  );
  t.regex(
    macaroon.inspect(),
    /^location https:\/\/arbiter:8080\nidentifier \S{44}\ncid target = export-service\ncid path = \/export\ncid method = POST\ncid destination = https:\/\/a\/\n/,
  );
  const verifier = new MacaroonsVerifier(macaroon).satisfyGeneral(() => true);
  t.true(first.reason === 'secret' && verifier.isValid(first.secret));
  t.not(arbiter.mint('a', 'b', 'c'), arbiter.mint('a', 'b', 'c'));
});

test('a token that is not printable goes as base64', async (t) => {
  const arbiter = await start(t);
  const binary = Buffer.of(0, 1, 254, 255);
  arbiter.register(binary.toString('base64'));
  const fetch = await fetchFrom(arbiter.endpoint, { token: binary });
  t.is((await fetch(never())).reason, 'secret');
});

test('the secret comes over HTTPS from an arbiter whose certificate the root CA signed', async (t) => {
  const arbiter = await start(t, 'https');
  arbiter.register(token.toString());
  const fetch = await fetchFrom(arbiter.endpoint, { rootCa: testCa() });
  t.deepEqual(await fetch(never()), { reason: 'secret', secret: arbiter.secret });
});

test.serial(
  'a certificate that does not verify is refused before the token leaves, whatever the environment says',
  async (t) => {
    const arbiter = await start(t, 'https');
    arbiter.register(token.toString());
    const misnamed = await HttpArbiter.start('https', 0, 'other_name');
    t.teardown(() => misnamed.close());
    const { NODE_TLS_REJECT_UNAUTHORIZED: former } = process.env;
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    t.teardown(() => {
      if (former === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = former;
    });
    const setups = [
      ['of another CA', arbiter.endpoint, serverTls('self_signed').cert],
      ['of no CA that Node knows', arbiter.endpoint, undefined],
      ['for another name', misnamed.endpoint, testCa()],
    ] as const;
    for (const [reason, address, rootCa] of setups) {
      const outcome = await (await fetchFrom(address, { rootCa }))(never());
      if (outcome.reason !== 'unreachable') return t.fail(`${reason}: ${outcome.reason}`);
      t.regex(outcome.detail, /certificate/, reason);
    }
    t.deepEqual([...arbiter.requests, ...misnamed.requests], []);
  },
);

const answers: readonly (readonly [
  name: string,
  listener: RequestListener,
  reason: FetchOutcome['reason'],
  detail: RegExp,
])[] = [
  ['401', (_, response) => response.writeHead(401).end('hidden'), 'not_registered', /^401: /],
  ['403', (_, response) => response.writeHead(403).end('hidden'), 'refused', /^403: .*misconfigured/],
  ['500', (_, response) => response.writeHead(500).end('hidden'), 'refused', /^500: .*misconfigured/],
  ['404', (_, response) => response.writeHead(404).end('hidden'), 'refused', /404/],
  ['201 with a text', (_, response) => response.writeHead(201).end('hidden'), 'refused', /201/],
  ['204', (_, response) => response.writeHead(204).end(), 'refused', /204/],
  [
    'a redirect',
    (request, response) =>
      response.writeHead(302, { location: `http://${request.headers.host}/elsewhere` }).end(),
    'refused',
    /302: a redirect/,
  ],
  ['200 and nothing', (_, response) => response.end(), 'empty_secret', /empty/],
  ['200 and white space', (_, response) => response.end(' \n'), 'empty_secret', /empty/],
  ['200 and lines', (_, response) => response.end('<html>\nhidden'), 'garbage', /line breaks/],
  ['200 and too much', (_, response) => response.end('hidden'.repeat(500)), 'garbage', /3000 bytes/],
  [
    '200 and no end of it',
    (_, response) => {
      const pour = (): void => {
        while (!response.destroyed && response.write('hidden'.repeat(5000)));
      };
      response.on('drain', pour);
      pour();
    },
    'garbage',
    /more than 4096 bytes/,
  ],
  [
    'compressed',
    (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('hidden'),
    'garbage',
    /content-encoding/,
  ],
  [
    'cut off',
    (_, response) => {
      response.writeHead(200, { 'content-length': 36 });
      response.write('hidden', () => response.destroy());
    },
    'no_answer',
    /connection broke/,
  ],
  ['hung up', (request) => request.socket.destroy(), 'no_answer', /connection broke/],
  ['not HTTP', (request) => request.socket.end('hidden\r\n\r\n'), 'garbage', /not HTTP/],
];

for (const [name, listener, reason, detail] of answers) {
  test(`answered with ${name}, a try ends as ${reason} and quotes nothing`, async (t) => {
    const arbiter = await start(t);
    arbiter.answerWith(listener);
    const outcome = await (await fetchFrom(arbiter.endpoint))(never());
    t.is(outcome.reason, reason);
    if (outcome.reason === 'secret') return t.fail('there is no secret');
    t.regex(outcome.detail, detail);
    t.false(outcome.detail.includes('hidden') || outcome.detail.includes(token.toString()));
    t.is(arbiter.requests.length, 1);
  });
}

test('an arbiter that does not answer in time is given up, and the connection with it', async (t) => {
  const arbiter = await start(t);
  arbiter.answerWith(() => undefined);
  const outcome = await (await fetchFrom(arbiter.endpoint, { timeoutMs: 150 }))(never());
  t.deepEqual(outcome, {
    reason: 'no_answer',
    detail: 'no answer within the deadline',
    mayRotateLater: false,
  });
  const [request] = arbiter.requests;
  if (request === undefined) return t.fail('no request');
  if (!request.socket.destroyed) await once(request.socket, 'close');
});

test('a drip that never ends is over at the deadline', async (t) => {
  const arbiter = await start(t);
  arbiter.answerWith((_, response) => {
    const drip = setInterval(() => response.write('x'), 10);
    response.on('close', () => clearInterval(drip));
  });
  const outcome = await (await fetchFrom(arbiter.endpoint, { timeoutMs: 150 }))(never());
  t.is(outcome.reason, 'no_answer');
});

test('many tries over HTTP leave nothing behind on the signal they share', async (t) => {
  const arbiter = await start(t);
  arbiter.answerWith((_, response) => response.writeHead(401).end());
  const fetch = await fetchFrom(arbiter.endpoint);
  const signal = never();
  for (let tries = 0; tries < 5; tries += 1) await fetch(signal);
  t.deepEqual(getEventListeners(signal, 'abort'), []);
});

test('nobody there, or no such name, is unreachable', async (t) => {
  const arbiter = await HttpArbiter.start('http');
  const { endpoint } = arbiter;
  await arbiter.close();
  t.deepEqual(await (await fetchFrom(endpoint))(never()), { reason: 'unreachable', detail: 'ECONNREFUSED' });
  const nowhere = await (await fetchFrom('http://arbiter.invalid:1'))(never());
  t.is(nowhere.reason, 'unreachable');
});

test('a TLS handshake that hangs ends at the deadline, with its socket', async (t) => {
  const silent = await SilentServer.start();
  t.teardown(() => silent.close());
  const fetch = await fetchFrom(`https://${silent.authority}`, { timeoutMs: 150 });
  t.deepEqual(await fetch(never()), { reason: 'unreachable', detail: 'no connection within the deadline' });
  const socket = await silent.accepted();
  if (!socket.destroyed) await once(socket, 'close');
});

test('a TLS handshake that hangs ends at once when stopped, with its socket', async (t) => {
  const silent = await SilentServer.start();
  t.teardown(() => silent.close());
  const source = new WatchedSource(await fetchFrom(`https://${silent.authority}`, { timeoutMs: 60_000 }));
  const socket = await silent.accepted();
  source.stop();
  if (!socket.destroyed) await once(socket, 'close');
  await source.tried(1);
  t.deepEqual(source.secrets, []);
});

test('a relay that starts before its arbiter, and is registered later still, gets the secret and asks no more', async (t) => {
  const former = await HttpArbiter.start('http');
  const { port, endpoint } = former;
  await former.close();
  const source = new WatchedSource(await fetchFrom(endpoint));
  t.teardown(() => source.stop());
  await source.tried(2);
  const arbiter = await start(t, 'http', port);
  while (source.outcomes.at(-1)?.reason !== 'not_registered') await source.tried(source.outcomes.length + 1);
  arbiter.answerWith((_, response) => response.end(''));
  while (source.outcomes.at(-1)?.reason !== 'empty_secret') await source.tried(source.outcomes.length + 1);
  t.deepEqual(source.secrets, []);
  arbiter.behave();
  arbiter.register(token.toString());
  t.is(await source.secret, arbiter.secret);
  t.is(source.outcomes.filter(({ reason }) => reason === 'secret').length, 1);
  t.deepEqual(source.waiting[0], { reason: 'unreachable', detail: 'ECONNREFUSED', tries: 1 });
});
