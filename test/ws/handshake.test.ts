import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import { type RelayUnderTest, mint, mintWith, startRelay } from '../helpers/relay.js';
import { type Cleanup, startDestination } from '../helpers/scripted_destination.js';
import { type SocketOptions, openSocket, refusedHandshake } from '../helpers/sockets.js';

/** Writes to a new connection and gives what comes back until it closes, or until it has matched. */
async function talk(t: Cleanup, relay: RelayUnderTest, text: string, until = /$^/): Promise<string> {
  const socket = connect(relay.port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  let answer = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    answer += chunk;
    if (until.test(answer)) socket.destroy();
  });
  socket.on('error', () => undefined).write(text, 'latin1');
  await once(socket, 'close');
  return answer;
}

const wellFormed: Readonly<Record<string, string>> = {
  'Host': 'relay',
  'Connection': 'Upgrade',
  'Upgrade': 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

interface RawHandshake {
  readonly line?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
}

function raw({ line = 'GET /ws/export HTTP/1.1', headers = {}, body = '' }: RawHandshake): string {
  const all: RawHandshake['headers'] = { ...wellFormed, 'X-Api-Key': mint(), ...headers };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  return [line, ...lines, '', body].join('\r\n');
}

const macaroon = mint();
const inAHeader = { 'x-api-key': macaroon };

const accepted: readonly {
  readonly what: string;
  readonly options: SocketOptions;
  readonly protocol?: string;
}[] = [
  { what: 'X-Api-Key', options: { headers: inAHeader } },
  { what: 'Basic', options: { headers: { authorization: `Basic ${btoa(`${macaroon}:`)}` } } },
  {
    what: 'a subprotocol, as a browser offers it',
    options: { headers: {}, protocols: ['export-relay', `macaroon.${macaroon}`] },
    protocol: 'export-relay',
  },
  {
    what: 'a subprotocol in any place',
    options: { headers: {}, protocols: [`macaroon.${macaroon}`, 'other', 'export-relay'] },
    protocol: 'export-relay',
  },
  {
    what: 'X-Api-Key with the subprotocol asked for',
    options: { headers: inAHeader, protocols: ['export-relay'] },
    protocol: 'export-relay',
  },
  {
    what: 'caveats on path and method',
    options: { macaroon: mint('path = /ws/export', 'method = GET', 'target = export-service') },
  },
];

for (const { what, options, protocol = '' } of accepted) {
  test(`a socket opens with ${what}`, async (t) => {
    const client = await openSocket(t, await startRelay(t), options);
    t.is(client.ws.protocol, protocol);
    t.is(client.ws.extensions, '');
    t.like(await client.ask({ id: 'x' }), { code: 'unknown_job' });
  });
}

test('a macaroon that was offered is not sent back, so a client that offers nothing else is let down', async (t) => {
  const relay = await startRelay(t);
  const answer = await talk(
    t,
    relay,
    raw({ headers: { 'X-Api-Key': undefined, 'Sec-WebSocket-Protocol': `macaroon.${macaroon}` } }),
    /\r\n\r\n/,
  );
  t.regex(answer, /^HTTP\/1\.1 101 /);
  t.notRegex(answer, /macaroon|Sec-WebSocket-Protocol/i);
});

const refused: readonly {
  readonly what: string;
  readonly options: SocketOptions;
  readonly status: number;
  readonly code: string;
  readonly caveat?: string;
}[] = [
  { what: 'no macaroon', options: { headers: {} }, status: 401, code: 'missing_macaroon' },
  {
    what: 'an empty macaroon',
    options: { headers: {}, protocols: ['macaroon.'] },
    status: 401,
    code: 'missing_macaroon',
  },
  {
    what: 'a macaroon of another secret',
    options: { macaroon: mintWith({ root: 'other' }) },
    status: 401,
    code: 'invalid_macaroon',
  },
  {
    what: 'X-Api-Key and a subprotocol',
    options: { headers: inAHeader, protocols: [`macaroon.${macaroon}`] },
    status: 401,
    code: 'invalid_macaroon',
  },
  {
    what: 'Basic and a subprotocol',
    options: {
      headers: { authorization: `Basic ${btoa(`${macaroon}:`)}` },
      protocols: [`macaroon.${macaroon}`],
    },
    status: 401,
    code: 'invalid_macaroon',
  },
  {
    what: 'two macaroons as subprotocols',
    options: { headers: {}, protocols: [`macaroon.${macaroon}`, 'macaroon.other'] },
    status: 401,
    code: 'invalid_macaroon',
  },
  {
    what: 'a caveat on another path',
    options: { macaroon: mint('path = /export') },
    status: 401,
    code: 'caveat_not_satisfied',
    caveat: 'path = /export',
  },
  {
    what: 'a caveat on another method',
    options: { macaroon: mint('method = POST') },
    status: 401,
    code: 'caveat_not_satisfied',
    caveat: 'method = POST',
  },
  {
    what: 'a time that has passed',
    options: { macaroon: mint('time < 2020-01-01T00:00:00Z') },
    status: 401,
    code: 'caveat_not_satisfied',
    caveat: 'time < 2020-01-01T00:00:00Z',
  },
];

for (const { what, options, status, code, caveat } of refused) {
  test(`no socket opens with ${what}`, async (t) => {
    const answer = await refusedHandshake(t, await startRelay(t), options);
    t.like(answer, { status, json: { code, caveat } });
  });
}

const key = { field: 'Sec-WebSocket-Key' };
const malformed: readonly (RawHandshake & {
  readonly what: string;
  readonly status: number;
  readonly field?: string;
})[] = [
  { what: 'without an upgrade', headers: { Connection: undefined, Upgrade: undefined }, status: 426 },
  { what: 'with Upgrade but not in Connection', headers: { Connection: 'keep-alive' }, status: 426 },
  { what: 'with another upgrade', headers: { Upgrade: 'h2c' }, status: 426 },
  { what: 'with a choice of upgrades', headers: { Upgrade: 'h2c, websocket' }, status: 426 },
  { what: 'over HTTP/1.0', line: 'GET /ws/export HTTP/1.0', status: 426 },
  { what: 'in absolute form', line: 'GET http://relay/ws/export HTTP/1.1', status: 426 },
  { what: 'of version 8', headers: { 'Sec-WebSocket-Version': '8' }, status: 426 },
  { what: 'of two versions', headers: { 'Sec-WebSocket-Version': '13, 13' }, status: 426 },
  { what: 'of no version', headers: { 'Sec-WebSocket-Version': undefined }, status: 426 },
  { what: 'without a key', headers: { 'Sec-WebSocket-Key': undefined }, status: 400, ...key },
  { what: 'with a short key', headers: { 'Sec-WebSocket-Key': 'AAAA' }, status: 400, ...key },
  {
    what: 'with a body',
    headers: { 'Content-Length': '4' },
    body: 'body',
    status: 400,
    field: 'Content-Length',
  },
  {
    what: 'with a chunked body',
    headers: { 'Transfer-Encoding': 'chunked' },
    body: '0\r\n\r\n',
    status: 400,
    field: 'Content-Length',
  },
  {
    what: 'with a subprotocol that is no token',
    headers: { 'Sec-WebSocket-Protocol': 'export-relay, macaroon.a=' },
    status: 400,
    field: 'Sec-WebSocket-Protocol',
  },
  {
    what: 'with a subprotocol twice',
    headers: { 'Sec-WebSocket-Protocol': 'export-relay, export-relay' },
    status: 400,
    field: 'Sec-WebSocket-Protocol',
  },
  { what: 'by POST', line: 'POST /ws/export HTTP/1.1', status: 405 },
  { what: 'by DELETE', line: 'DELETE /ws/export HTTP/1.1', status: 405 },
  { what: 'of another path', line: 'GET /ws/export/ HTTP/1.1', status: 404 },
  { what: 'of another case', line: 'GET /WS/export HTTP/1.1', status: 404 },
  { what: 'of an encoded path', line: 'GET /ws%2fexport HTTP/1.1', status: 404 },
  { what: 'of /export', line: 'GET /export HTTP/1.1', status: 405 },
];

for (const { what, status, field, ...handshake } of malformed) {
  test(`a handshake ${what} is answered ${status} as a problem`, async (t) => {
    const relay = await startRelay(t);
    const answer = await talk(t, relay, raw(handshake), /"request_id":"[^"]+".*}$/);
    t.regex(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
    t.regex(answer, /content-type: application\/problem\+json/i);
    if (field !== undefined) t.true(answer.includes(`"field":"${field}"`), answer);
    if (status === 405) t.regex(answer, /\r\nAllow: /);
    if (status === 426) {
      t.regex(answer, /\r\nUpgrade: websocket\r\n/);
      t.regex(answer, /\r\nConnection: Upgrade, close\r\n/);
      t.regex(answer, /\r\nSec-WebSocket-Version: 13\r\n/);
    }
    t.is(relay.logged('websocket').length, 0);
    t.is(relay.logged('request').length, 1);
  });
}

test('405 allows GET on the socket and POST on /export', async (t) => {
  const relay = await startRelay(t);
  t.is((await relay.post('/ws/export', {})).headers['allow'], 'GET');
  t.is((await relay.post('/export', {}, { method: 'GET' })).headers['allow'], 'POST');
});

test('a handshake without Host is refused', async (t) => {
  t.regex(await talk(t, await startRelay(t), raw({ headers: { Host: undefined } })), /^HTTP\/1\.1 400 /);
});

test('a request whose upgrade nobody serves is served as it is, body and all', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const body = JSON.stringify({ id: '', uri: destination.url, data: '{}' });
  for (const upgrade of ['h2c', 'websocket', 'TLS/1.0, HTTP/1.1']) {
    const answer = await talk(
      t,
      relay,
      raw({
        line: 'POST /export HTTP/1.1',
        headers: { 'Upgrade': upgrade, 'HTTP2-Settings': '', 'Content-Length': String(body.length) },
        body,
      }),
      /"Pending"/,
    );
    t.regex(answer, /^HTTP\/1\.1 200 /, upgrade);
  }
  await destination.arrived(3);
});

test('what comes behind a refused upgrade is taken for nothing, and the connection closes', async (t) => {
  const relay = await startRelay(t);
  const hidden = raw({ line: 'GET /hidden HTTP/1.1' });
  const answer = await talk(
    t,
    relay,
    raw({ headers: { 'Content-Length': String(hidden.length) }, body: hidden }) +
      'GET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  );
  t.deepEqual(answer.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 400']);
  t.regex(answer, /\r\nConnection: close\r\n/);
  t.is(relay.logged('request').length, 1);
});

test('an upgrade is refused while an earlier request of its connection waits for its answer', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t, () => undefined)];
  const { json } = await relay.submit(destination.url);
  await destination.arrived(1);
  const body = JSON.stringify({ id: json.id });
  const poll = [
    'POST /lp/export?timeout=0.3 HTTP/1.1',
    'Host: x',
    `X-Api-Key: ${mint()}`,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
  const answer = await talk(t, relay, poll + raw({}));
  t.deepEqual(answer.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 426']);
});

test('a connection that has had its answers can be upgraded', async (t) => {
  const relay = await startRelay(t);
  const socket = connect(relay.port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  let answer = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    answer += chunk;
    if (answer.endsWith('}')) socket.write(raw({}));
  });
  socket.write('GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n');
  while (!answer.includes(' 101 ')) await once(socket, 'data');
  t.deepEqual(answer.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 404', 'HTTP/1.1 101']);
});

test('frames that come in one piece with the handshake are answered', async (t) => {
  const relay = await startRelay(t);
  const text = '{"id":"x"}';
  const frame = Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
  const answer = await talk(t, relay, raw({ body: frame.toString('latin1') }), /unknown_job/);
  t.regex(answer, /^HTTP\/1\.1 101 [^]*unknown_job/);
});
