import test from 'ava';
import { request } from 'undici';
import { WebSocket } from 'ws';
import { startRelay, mint, type RelayUnderTest } from '../helpers/relay.js';
import { type Cleanup, startDestination } from '../helpers/scripted_destination.js';

const page = 'https://app.example';
const stranger = 'https://evil.example';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

function corsOf(headers: Headers): Headers {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name === 'vary' || name.startsWith('access-control-')),
  );
}

async function preflight(relay: RelayUnderTest, path: string, headers: Record<string, string>) {
  const answer = await request(`${relay.url}${path}`, {
    method: 'OPTIONS',
    headers: { 'access-control-request-method': 'POST', ...headers },
  });
  return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
}

const readable = {
  'vary': 'Origin',
  'access-control-allow-origin': page,
  'access-control-expose-headers': 'ETag, Retry-After, WWW-Authenticate, Allow',
};

test('by default no page may call: no answer has a header of CORS, and a preflight is an unknown method', async (t) => {
  const relay = await startRelay(t);
  const asked = await preflight(relay, '/export', { origin: page });
  t.is(asked.status, 405);
  t.is(asked.headers['allow'], 'POST');
  t.deepEqual(corsOf(asked.headers), {});
  const { headers } = await relay.post('/export', { id: 'x' }, { headers: { origin: page } });
  t.deepEqual(corsOf(headers), {});
});

test('a page of a named origin may ask, call, and read answers and errors', async (t) => {
  const relay = await startRelay(t, [`--cors-origin=${page}`, '--cors-origin=http://localhost:3000']);
  const destination = await startDestination(t);
  const asked = await preflight(relay, '/lp/export?timeout=1', {
    'origin': page,
    'access-control-request-headers': 'x-api-key,if-none-match',
  });
  t.is(asked.status, 204);
  t.is(asked.text, '');
  t.deepEqual(corsOf(asked.headers), {
    ...readable,
    'access-control-allow-methods': 'GET, HEAD, POST',
    'access-control-allow-headers':
      'X-Api-Key, Authorization, Content-Type, Idempotency-Key, Prefer, If-None-Match, Traceparent',
    'access-control-max-age': '7200',
  });
  const headers = { origin: page };
  const submitted = await relay.submit(destination.url, '{}', { headers });
  t.is(submitted.status, 200);
  t.deepEqual(corsOf(submitted.headers), readable);
  for (const [path, options, status] of [
    ['/export', { headers, macaroon: 'x' }, 401],
    ['/nowhere', { headers }, 404],
    ['/export', { headers, method: 'PUT' }, 405],
    ['/openapi.json', { headers, method: 'GET' }, 200],
  ] as const) {
    const answer = await relay.post(path, { id: 'x' }, options);
    t.is(answer.status, status);
    t.deepEqual(corsOf(answer.headers), readable, path);
  }
  t.is(relay.logged('request').filter(({ route }) => route === 'preflight').length, 1);
});

test('a page of another origin gets no permission, and caches are told that others might', async (t) => {
  const relay = await startRelay(t, [`--cors-origin=${page}`]);
  for (const origin of [stranger, 'null', 'https://app.example.evil.example', 'http://app.example', '*']) {
    const asked = await preflight(relay, '/export', { origin });
    t.is(asked.status, 405, origin);
    t.deepEqual(corsOf(asked.headers), { vary: 'Origin' });
    const called = await relay.post('/export', { id: 'x' }, { headers: { origin } });
    t.deepEqual(corsOf(called.headers), { vary: 'Origin' });
  }
  t.deepEqual(corsOf((await relay.post('/export', { id: 'x' })).headers), { vary: 'Origin' });
});

test('OPTIONS that asks for nothing is no preflight', async (t) => {
  const relay = await startRelay(t, [`--cors-origin=${page}`]);
  t.is((await relay.post('/export', '', { method: 'OPTIONS', headers: { origin: page } })).status, 405);
});

test('a browser that asks whether a private network may be reached is told so, if its page may call', async (t) => {
  const relay = await startRelay(t, [`--cors-origin=${page}`]);
  const name = 'access-control-request-private-network';
  const asked = await preflight(relay, '/export', { origin: page, [name]: 'true' });
  t.is(asked.headers['access-control-allow-private-network'], 'true');
  const refused = await preflight(relay, '/export', { origin: stranger, [name]: 'true' });
  t.is(refused.headers['access-control-allow-private-network'], undefined);
});

/** 101, or the status that the handshake was refused with. */
function handshake(t: Cleanup, relay: RelayUnderTest, origin?: string): Promise<number> {
  const socket = new WebSocket(`${relay.url.replace('http', 'ws')}/ws/export`, {
    headers: { 'X-Api-Key': mint(), ...(origin === undefined ? {} : { Origin: origin }) },
  });
  t.teardown(() => socket.terminate());
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(101));
    socket.once('unexpected-response', (_request, { statusCode = 0 }) => resolve(statusCode));
    socket.once('error', reject);
  });
}

test('a WebSocket opens for programs and for pages of named origins only', async (t) => {
  const relay = await startRelay(t, [`--cors-origin=${page}`]);
  t.is(await handshake(t, relay), 101);
  t.is(await handshake(t, relay, page), 101);
  for (const origin of [stranger, 'null', '', `http://127.0.0.1:${relay.port + 1}`]) {
    t.is(await handshake(t, relay, origin), 403, origin);
  }
  t.true(relay.logged('request').some(({ code }) => code === 'origin_not_allowed'));
});

test("a library that names the relay's own address as its origin may open a WebSocket", async (t) => {
  const relay = await startRelay(t);
  t.is(await handshake(t, relay, `http://127.0.0.1:${relay.port}`), 101);
  t.is(await handshake(t, relay, page), 403);
});
