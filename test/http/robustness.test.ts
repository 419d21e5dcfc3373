import { once } from 'node:events';
import test from 'ava';
import { eventually } from '../helpers/eventually.js';
import { type RelayUnderTest, mint, startRelay } from '../helpers/relay.js';
import { head, open, talk } from '../helpers/raw.js';
import { startDestination } from '../helpers/scripted_destination.js';

async function stillServes(relay: RelayUnderTest, uri: string): Promise<boolean> {
  const { json } = await relay.submit(uri);
  return (await relay.finished(json.id)).ext_response.status === '200 OK';
}

test('clients that reset, break off or send half a body harm nobody', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const whole = head('Content-Length: 20') + '{"id":"","uri":"x"} ';
  for (let length = 0; length <= whole.length; length += 7) {
    const socket = await open(t, relay);
    const broken = once(socket, 'close');
    socket.write(whole.slice(0, length), () =>
      length % 2 === 0 ? socket.resetAndDestroy() : socket.destroy(),
    );
    await broken;
  }
  t.true(await stillServes(relay, destination.url));
  t.deepEqual(relay.logged('bug'), []);
});

test('two thousand connections, idle and half-way, harm nobody', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const sockets = await Promise.all(Array.from({ length: 2000 }, () => open(t, relay)));
  for (const [index, socket] of sockets.entries())
    if (index % 2 === 0) socket.write('POST /export HTTP/1.1\r\nHost');
  t.true(await stillServes(relay, destination.url));
  for (const socket of sockets) socket.resetAndDestroy();
  t.true(await stillServes(relay, destination.url));
});

test('connections beyond the bound are closed, and places come free again', async (t) => {
  const relay = await startRelay(t, ['--max-connections=3']);
  const sockets = [await open(t, relay), await open(t, relay), await open(t, relay)];
  const surplus = await open(t, relay);
  if (!surplus.closed) await once(surplus, 'close');
  sockets[0]?.destroy();
  await eventually(async () => {
    const { status } = await relay.post('/export', { id: 'x' }).catch(() => ({ status: 0 }));
    return status === 404;
  });
  t.pass();
});

test('a client that sends nothing, or not all of its headers or body, is cut off in time', async (t) => {
  const relay = await startRelay(t, ['--request-timeout=300ms']);
  for (const text of ['', 'POST /export HTTP/1.1\r\nHost: x\r\n', head('Content-Length: 100') + '{']) {
    const answer = await talk(t, relay, text);
    t.true(answer === '' || answer.startsWith('HTTP/1.1 408 '), answer);
  }
});

test('a body over the limit is refused before it is read, and the client sees the answer', async (t) => {
  const relay = await startRelay(t, ['--max-body=1kb']);
  const declared = await talk(t, relay, head('Content-Length: 1073741824') + '{');
  t.regex(declared, /^HTTP\/1\.1 413 .*"code":"body_too_large"/s);
  t.regex(declared, /^Connection: close\r$/im);
  const chunk = `400\r\n${'x'.repeat(1024)}\r\n`;
  t.regex(await talk(t, relay, head('Transfer-Encoding: chunked') + chunk.repeat(3)), /^HTTP\/1\.1 413 /);
  const large = await relay.post('/export', {
    id: '',
    uri: 'https://x.example/',
    data: `["${'x'.repeat(500_000)}"]`,
  });
  t.like(large, { status: 413, json: { code: 'body_too_large' } });
});

test('a body of exactly the limit is read', async (t) => {
  const relay = await startRelay(t, ['--max-body=100b']);
  const body = JSON.stringify({ id: 'x', pad: '' });
  const exact = JSON.stringify({ id: 'x', pad: 'p'.repeat(100 - body.length) });
  t.is(exact.length, 100);
  t.is((await relay.post('/export', exact)).status, 404);
  t.is((await relay.post('/export', `${exact} `)).status, 413);
});

test('a client that asks first is told to go on only with a good macaroon', async (t) => {
  const relay = await startRelay(t);
  const refused = await talk(
    t,
    relay,
    'POST /export HTTP/1.1\r\nHost: x\r\nX-Api-Key: bad\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n',
  );
  t.regex(refused, /^HTTP\/1\.1 401 /);
  const accepted = await talk(
    t,
    relay,
    head('Content-Length: 10', 'Expect: 100-continue', 'Connection: close') + '{"id":"x"}',
  );
  t.regex(accepted, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 404 /);
});

for (const [name, lines, status] of [
  ['gzip', ['Content-Encoding: gzip'], 415],
  ['junk encoding', ['Content-Encoding: junk'], 415],
  ['identity', ['Content-Encoding: identity'], 404],
  ['latin-1', ['Content-Type: application/json; charset=iso-8859-1'], 415],
  ['utf-8', ['Content-Type: text/plain; charset="UTF-8"'], 404],
  ['no type', [], 404],
] as const) {
  test(`a body with ${name} gets ${status}`, async (t) => {
    const relay = await startRelay(t);
    const answer = await talk(
      t,
      relay,
      head(...lines, 'Content-Length: 10', 'Connection: close') + '{"id":"x"}',
    );
    t.true(answer.startsWith(`HTTP/1.1 ${status} `), answer);
  });
}

test('a body that is not UTF-8 is refused', async (t) => {
  const relay = await startRelay(t);
  const socket = await open(t, relay);
  socket.write(
    Buffer.concat([
      Buffer.from(head('Content-Length: 10', 'Connection: close')),
      Buffer.from('{"id":"\xff"}', 'latin1'),
    ]),
  );
  let answer = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk));
  await once(socket, 'close');
  t.regex(answer, /^HTTP\/1\.1 400 .*"code":"malformed_json"/s);
});

for (const [target, status] of [
  ['/export?x', 404],
  ['/EXPORT', 404],
  ['/Export', 404],
  ['/export/', 404],
  ['//export', 404],
  ['/%65xport', 404],
  ['/export%2f', 404],
  ['/export%00', 404],
  ['/export;a=1', 404],
  ['/lp/../export', 404],
  ['/lp/%2e%2e/export', 404],
  ['\\export', 404],
  ['*', 404],
  ['/%', 404],
  ['/', 404],
] as const) {
  const known = target === '/export?x';
  test(`POST ${target} is ${known ? 'the export endpoint' : 'not found'}`, async (t) => {
    const relay = await startRelay(t);
    const text = head('Content-Length: 10', 'Connection: close').replace('/export', target) + '{"id":"x"}';
    const answer = await talk(t, relay, text);
    t.true(answer.startsWith(`HTTP/1.1 ${status} `) || answer.startsWith('HTTP/1.1 400 '), answer);
    t.is(answer.includes('"code":"unknown_job"'), known, answer);
  });
}

test('other methods get 405 with Allow', async (t) => {
  const relay = await startRelay(t);
  for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'] as const) {
    const answer = await relay.post('/export', {}, { method });
    t.like(answer, { status: 405, headers: { allow: 'POST' }, json: { code: 'method_not_allowed' } }, method);
    t.is(answer.headers['access-control-allow-origin'], undefined);
  }
});

for (const [name, text] of [
  ['a length and chunks', head('Content-Length: 5', 'Transfer-Encoding: chunked') + '0\r\n\r\n'],
  ['two lengths', head('Content-Length: 5', 'Content-Length: 6') + '{"id"'],
  ['a list of lengths', head('Content-Length: 5, 5') + '{"id"'],
  ['a signed length', head('Content-Length: +5') + '{"id"'],
  ['no host', head().replace('Host: relay\r\n', '')],
  ['a header of 17 KiB', head(`X-Pad: ${'x'.repeat(17 * 1024)}`)],
] as const) {
  test(`${name} is refused and the connection closed`, async (t) => {
    const relay = await startRelay(t);
    t.regex(await talk(t, relay, text), /^HTTP\/1\.1 4(00|31) /);
  });
}

test('a key behind two thousand headers is not seen', async (t) => {
  const relay = await startRelay(t);
  const padding = Array.from({ length: 2000 }, (_, index) => `A${index}: 1`);
  const lines = [
    'POST /export HTTP/1.1',
    'Host: x',
    ...padding,
    `X-Api-Key: ${mint()}`,
    'Content-Length: 0',
    'Connection: close',
  ];
  t.regex(await talk(t, relay, `${lines.join('\r\n')}\r\n\r\n`), /^HTTP\/1\.1 (401|431) /);
});

test('pipelined requests are answered in order, each judged by its own macaroon', async (t) => {
  const relay = await startRelay(t);
  const good = head('Content-Length: 10') + '{"id":"x"}';
  const bad = good.replace(mint(), 'bad');
  const last = head('Content-Length: 10', 'Connection: close') + '{"id":"x"}';
  const answers = await talk(t, relay, good + bad + last);
  t.deepEqual(answers.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 404', 'HTTP/1.1 401', 'HTTP/1.1 404']);
});

test('an upgrade that nobody serves is ignored', async (t) => {
  const relay = await startRelay(t);
  const answer = await talk(
    t,
    relay,
    head('Connection: close', 'Upgrade: h2c', 'Content-Length: 10') + '{"id":"x"}',
  );
  t.regex(answer, /^HTTP\/1\.1 404 /);
});

test('answers say that they are JSON and nothing else, and are not to be stored', async (t) => {
  const relay = await startRelay(t);
  const { headers } = await relay.post('/export', { id: 'x' });
  t.like(headers, {
    'content-type': 'application/problem+json; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
});

test('neither payload nor macaroon nor secret is in the log', async (t) => {
  const relay = await startRelay(t);
  const destination = await startDestination(t, (_arrival, response) => response.end('secret answer'));
  const { json } = await relay.submit(`${destination.url}/private/path?q=private`, '{"private":"payload"}');
  await relay.finished(json.id);
  await relay.submit('https://x.example/', '{"private"', { macaroon: mint('private = caveat') });
  t.is(relay.logged('job').length, 1);
  t.is(relay.logged('attempt').length, 1);
  t.true(relay.logged('request').length >= 3);
  t.is(relay.logged('job')[0]?.['job_id'], json.id);
  for (const word of ['private', 'payload', 'secret', mint(), 'in/']) t.false(relay.log.includes(word), word);
});

test('newlines and escapes in what a client writes cannot forge a log line', async (t) => {
  const relay = await startRelay(t);
  await relay.post('/export', { id: 'x\n{"msg":"job"}\u001b[31m' });
  await relay.submit('https://x.example/\n', '{}');
  t.is(relay.logged('job').length, 0);
  t.is(relay.log.trim().split('\n').length, 2);
});
