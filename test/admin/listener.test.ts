import test from 'ava';
import { request } from 'undici';
import { parseConfig } from '#relay/config/parse.js';
import { createLogger } from '#relay/log/logger.js';
import { startService } from '#relay/service.js';
import { talk } from '../helpers/raw.js';
import { startRelay } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';

async function get(
  url: string,
  headers: Record<string, string> = {},
  method: 'GET' | 'HEAD' | 'POST' = 'GET',
): Promise<{ status: number; headers: Record<string, string | string[] | undefined>; text: string }> {
  const response = await request(url, { headers, method });
  return { status: response.statusCode, headers: response.headers, text: await response.body.text() };
}

test('health and readiness are answered without a macaroon, by GET and HEAD', async (t) => {
  const { adminUrl } = await startRelay(t);
  t.like(await get(`${adminUrl}/healthz`), { status: 200, text: '{"status":"alive"}' });
  t.like(await get(`${adminUrl}/readyz?verbose`), { status: 200, text: '{"status":"ready"}' });
  t.like(await get(`${adminUrl}/readyz`, {}, 'HEAD'), { status: 200, text: '' });
});

test('of which of two hosts a request is meant for, nothing is guessed', async (t) => {
  const port = Number(new URL((await startRelay(t)).adminUrl).port);
  const ask = (...hosts: readonly string[]): Promise<string> => {
    const lines = hosts.map((host) => `Host: ${host}\r\n`).join('');
    return talk(t, { port }, `GET /api/summary HTTP/1.1\r\n${lines}Connection: close\r\n\r\n`);
  };
  t.regex(await ask('localhost'), /^HTTP\/1\.1 200 /);
  t.regex(await ask('localhost', 'evil.example'), /^HTTP\/1\.1 400 /);
  t.regex(await ask(), /^HTTP\/1\.1 400 /);
});

test('readiness waits for the secret, and says so', async (t) => {
  const parsed = parseConfig({
    argv: ['--port=0', '--host=127.0.0.1', '--arbiter=http://arbiter.example'],
    env: {},
  });
  if (!parsed.ok) return t.fail(parsed.mistakes.join());
  let answer: (secret: string) => void = () => undefined;
  const service = await startService(parsed.config, {
    logger: createLogger('silent', { write: () => undefined }),
    fetchSecret: () => new Promise((resolve) => (answer = (secret) => resolve({ reason: 'secret', secret }))),
  });
  t.teardown(() => service.stop(0));
  const url = `${service.adminUrl ?? ''}/readyz`;
  const waiting = await get(url);
  t.is(waiting.status, 503);
  t.like(JSON.parse(waiting.text), { status: 'not ready', reason: 'no_secret' });
  answer('a secret');
  t.is((await get(url)).status, 200);
});

test('while stopping, the relay is alive and not ready', async (t) => {
  let answerNow: () => void = () => undefined;
  const destination = await startDestination(t, (_arrival, response) => {
    answerNow = () => response.end('late');
  });
  const relay = await startRelay(t);
  await relay.submit(destination.url);
  await destination.arrived(1);
  const stopped = relay.service.stop(10_000);
  const stopping = await get(`${relay.adminUrl}/readyz`);
  t.is(stopping.status, 503);
  t.like(JSON.parse(stopping.text), { reason: 'stopping' });
  t.is((await get(`${relay.adminUrl}/healthz`)).status, 200);
  answerNow();
  await stopped;
  await t.throwsAsync(get(`${relay.adminUrl}/healthz`), { code: 'ECONNREFUSED' });
});

test('a name that is not its own gets health and nothing else', async (t) => {
  const { adminUrl } = await startRelay(t);
  const headers = { host: 'rebound.example' };
  t.is((await get(`${adminUrl}/healthz`, headers)).status, 200);
  for (const path of ['/', '/metrics', '/api/exports', '/nothing']) {
    t.is((await get(adminUrl + path, headers)).status, 403, path);
  }
});

test('nothing can be written, and what is not there is not found', async (t) => {
  const { adminUrl } = await startRelay(t);
  t.like(await get(`${adminUrl}/healthz`, {}, 'POST'), { status: 405, headers: { allow: 'GET, HEAD' } });
  t.is((await get(`${adminUrl}/nothing`)).status, 404);
  t.is((await get(`${adminUrl}/healthz/`)).status, 404);
});

test('no export reaches the admin listener, whatever networks are allowed', async (t) => {
  const relay = await startRelay(t, ['--dev', '--allow-network=127.0.0.0/8']);
  for (const path of ['/healthz', '/api/exports']) {
    const answer = await relay.submit(relay.adminUrl + path);
    t.is(answer.status, 403);
    t.is(answer.json.rule, 'own_listener');
  }
});

test('the API answers in JSON, refuses in words, and is bounded', async (t) => {
  const { adminUrl } = await startRelay(t);
  const summary: unknown = JSON.parse((await get(`${adminUrl}/api/summary`)).text);
  t.like(summary, { notReady: null, auditFile: null, revision: 0 });
  t.deepEqual(JSON.parse((await get(`${adminUrl}/api/exports`)).text), { exports: [], next: null });
  const refused = await get(`${adminUrl}/api/exports?limit=1000`);
  t.like(refused, { status: 400, text: '{"detail":"limit: expects a whole number from 1 to 200"}' });
  t.is((await get(`${adminUrl}/api/timeline?range=year`)).status, 400);
  t.is((await get(`${adminUrl}/api/live`, {}, 'HEAD')).status, 200);
});

test('every answer forbids what the page does not need', async (t) => {
  const { adminUrl } = await startRelay(t);
  for (const path of ['/', '/page.css', '/main.js', '/icon.svg', '/api/summary', '/healthz', '/nothing']) {
    const { headers } = await get(adminUrl + path);
    const policy = String(headers['content-security-policy']);
    t.regex(policy, /default-src 'none'/, path);
    t.notRegex(policy, /unsafe|\*|data:|https?:/, path);
    t.like(
      headers,
      {
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
        'cache-control': 'no-store',
      },
      path,
    );
  }
});

test('the page and everything it loads is served, and nothing beside it', async (t) => {
  const { adminUrl } = await startRelay(t);
  const seen = new Set<string>();
  const wanted = ['/'];
  for (let path = wanted.pop(); path !== undefined; path = wanted.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const { status, text } = await get(adminUrl + path);
    t.is(status, 200, path);
    for (const [, next = ''] of text.matchAll(/(?:(?:src|href)="|from '\.)(\/[\w.]+)["']/g))
      wanted.push(next);
    t.notRegex(text, /innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b/, path);
  }
  t.true(seen.size >= 13, [...seen].join(' '));
  for (const path of [
    '/wire.d.ts',
    '/main.js.map',
    '/..%2fmain.js',
    '/..%2f..%2fpackage.json',
    '/.tsbuildinfo',
  ]) {
    t.is((await get(adminUrl + path)).status, 404, path);
  }
});

test('no page of another site may ask, but a link may lead to this one', async (t) => {
  const { adminUrl } = await startRelay(t);
  const headers = { 'sec-fetch-site': 'cross-site' };
  t.is((await get(`${adminUrl}/`, headers)).status, 200);
  t.is((await get(`${adminUrl}/api/live`, headers)).status, 403);
  t.is((await get(`${adminUrl}/main.js`, headers)).status, 403);
});

test('while the relay stops, listeners are let go', async (t) => {
  const relay = await startRelay(t);
  const { body } = await request(`${relay.adminUrl}/api/live`);
  const ended = body.text();
  await relay.service.stop(0);
  t.regex(await ended, /^retry: 2000\n\ndata: \{/);
});

test('it can be switched off', async (t) => {
  const { service } = await startRelay(t, ['--admin=off']);
  t.is(service.adminUrl, undefined);
});

test('a place that is taken is said in words, and the relay does not start', async (t) => {
  const destination = await startDestination(t);
  await t.throwsAsync(startRelay(t, [`--admin=127.0.0.1:${destination.port}`]), {
    message: /^the admin listener: .*EADDRINUSE.*--admin=off/,
  });
});
