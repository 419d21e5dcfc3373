import test from 'ava';
import { head, open, post, readAll, talk } from '../helpers/raw.js';
import { startRelay } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';

function parts(answer: string) {
  const [top = '', body = ''] = answer.split('\r\n\r\n');
  const [status = '', ...headers] = top.split('\r\n');
  return { status, headers, problem: JSON.parse(body) as Record<string, unknown>, length: body.length };
}

for (const [why, text, status, code] of [
  ['what is no HTTP', 'GARBAGE\r\n\r\n', '400 Bad Request', 'malformed_request'],
  ['an unknown method', 'FETCH /export HTTP/1.1\r\nHost: x\r\n\r\n', '400 Bad Request', 'malformed_request'],
  [
    'a backslash for a path',
    'POST \\export HTTP/1.1\r\nHost: x\r\n\r\n',
    '400 Bad Request',
    'malformed_request',
  ],
  ['no Host', 'POST /export HTTP/1.1\r\n\r\n', '400 Bad Request', 'malformed_request'],
  ['two lengths', head('Content-Length: 2', 'Content-Length: 3'), '400 Bad Request', 'malformed_request'],
  ['a length that is no number', head('Content-Length: +5'), '400 Bad Request', 'malformed_request'],
  [
    'a length beside chunks',
    head('Content-Length: 2', 'Transfer-Encoding: chunked'),
    '400 Bad Request',
    'malformed_request',
  ],
  [
    'a chunk without a size',
    head('Transfer-Encoding: chunked') + 'zz\r\n',
    '400 Bad Request',
    'malformed_request',
  ],
  [
    'headers beyond 16 KiB',
    head(`X-Long: ${'x'.repeat(17 * 1024)}`),
    '431 Request Header Fields Too Large',
    'headers_too_large',
  ],
] as const) {
  test(`${why} gets a problem document, and the connection closes`, async (t) => {
    const relay = await startRelay(t);
    const answer = parts(await talk(t, relay, text));
    t.is(answer.status, `HTTP/1.1 ${status}`);
    t.like(answer.problem, { code, type: `/problems/${code}`, status: Number(status.slice(0, 3)) });
    t.true(answer.headers.includes('Content-Type: application/problem+json; charset=utf-8'));
    t.true(answer.headers.includes(`Content-Length: ${answer.length}`));
    t.true(answer.headers.some((line) => /^connection: close$/i.test(line)));
    const [logged] = relay.logged('request');
    t.like(logged, { code, request_id: answer.problem['request_id'] });
    t.is(relay.service.stats().pending, 0);
  });
}

test('a request that does not arrive whole in time gets a problem document', async (t) => {
  const relay = await startRelay(t, ['--request-timeout=1s']);
  const answers = await Promise.all(
    ['POST /export HTTP/1.1\r\nHost: x\r\n', head('Content-Length: 100') + '{'].map((text) =>
      talk(t, relay, text),
    ),
  );
  for (const answer of answers.map(parts)) {
    t.is(answer.status, 'HTTP/1.1 408 Request Timeout');
    t.like(answer.problem, { code: 'request_timeout' });
  }
});

test('what follows a long poll that is held is not answered in its place', async (t) => {
  const relay = await startRelay(t);
  const destination = await startDestination(t, () => undefined);
  const { json } = await relay.submit(destination.url);
  const socket = await open(t, relay);
  socket.write(post('/lp/export?until=Finished', `{"id":"${json.id}"}`));
  await destination.arrived(1);
  socket.write('GARBAGE\r\n\r\n');
  t.is(await readAll(socket), '');
});

test('a flood of what cannot be parsed is answered once', async (t) => {
  const relay = await startRelay(t);
  const socket = await open(t, relay);
  const answer = readAll(socket);
  for (let round = 0; round < 50; round += 1) socket.write('GARBAGE '.repeat(100));
  t.is((await answer).match(/HTTP\/1\.1 /g)?.length, 1);
  t.is(relay.logged('request').length, 1);
});

test('an expectation that nobody knows is passed over', async (t) => {
  const relay = await startRelay(t);
  const body = '{"id":"x"}';
  const answer = await talk(t, relay, post('/export', body, 'Expect: a miracle', 'Connection: close'));
  t.regex(answer, /^HTTP\/1\.1 404 .*"code":"unknown_job"/s);
});
