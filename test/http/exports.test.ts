import type { ServerResponse } from 'node:http';
import test from 'ava';
import { mint, mintWith, startRelay } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';

const uuidV4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

for (const path of ['/export', '/lp/export']) {
  test(`POST ${path} with an empty id answers at once with a Pending job`, async (t) => {
    const [relay, destination] = [await startRelay(t), await startDestination(t)];
    const answer = await relay.post(path, { id: '', uri: destination.url, data: '{"a":1}' });
    t.is(answer.status, 200);
    t.regex(answer.json.id, uuidV4);
    t.like(answer.json, { state: 'Pending', ext_response: {}, attempts: 0 });
    t.true(
      answer.text.startsWith(`{"id":"${answer.json.id}","state":"Pending","ext_response":{}`),
      answer.text,
    );
    t.is(answer.headers['etag'], '"1"');
    t.is(answer.headers['content-type'], 'application/json; charset=utf-8');
    t.regex(answer.json.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });
}

test('a job passes through Processing and keeps the answer of its destination', async (t) => {
  const relay = await startRelay(t);
  let waiting: ServerResponse | undefined;
  const destination = await startDestination(t, (_arrival, response) => {
    waiting = response;
  });
  const { json } = await relay.submit(destination.url, '{"a":1}');
  await destination.arrived(1);
  t.like((await relay.post('/export', { id: json.id })).json, {
    state: 'Processing',
    attempts: 1,
    ext_response: {},
  });
  waiting
    ?.writeHead(201, { 'content-type': 'text/plain', 'location': '/there', 'x-other': 'left out' })
    .end('grüße');
  const finished = await relay.finished(json.id);
  t.deepEqual(finished.ext_response, {
    status: '201 Created',
    body: 'grüße',
    status_code: 201,
    headers: { 'content-type': 'text/plain', 'location': '/there' },
  });
});

test('the delivery is a POST with the data, its type, and the id as its key, and without the macaroon', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const { json } = await relay.submit(destination.url, '{"a":1}');
  await relay.finished(json.id);
  const [arrival] = destination.arrivals;
  t.is(arrival?.method, 'POST');
  t.is(arrival?.path, '/in');
  t.is(arrival?.body.toString(), '{"a":1}');
  t.like(arrival?.headers, { 'content-type': 'application/json', 'idempotency-key': json.id });
  t.regex(String(arrival?.headers['user-agent']), /^export-relay\/\d+\.\d+\.\d+$/);
  t.is(arrival?.headers['x-api-key'], undefined);
  t.false(JSON.stringify(arrival?.headers).includes(mint()));
});

test('a result can be read again and again, on both endpoints', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const { json } = await relay.submit(destination.url);
  const first = await relay.finished(json.id);
  for (const path of ['/export', '/lp/export', '/export', '/lp/export']) {
    t.deepEqual((await relay.post(path, { id: json.id })).json, first);
  }
});

test('polls may carry another uri and data, an id in upper case, and fields nobody knows', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const { json } = await relay.submit(destination.url);
  const poll = { id: json.id.toUpperCase(), uri: 'not a url', data: 17, more: [] };
  t.is((await relay.post('/export', poll)).json.id, json.id);
});

const statuses: readonly (readonly [number, string])[] = [
  [200, '200 OK'],
  [204, '204 No Content'],
  [302, '302 Found'],
  [404, '404 Not Found'],
  [500, '500 Internal Server Error'],
  [599, '599'],
];
for (const [code, line] of statuses) {
  test(`a destination that answers ${code} finishes the job with "${line}"`, async (t) => {
    const relay = await startRelay(t);
    const destination = await startDestination(t, (_arrival, response) => {
      response.writeHead(code, { location: 'http://127.0.0.1:1/elsewhere' }).end();
    });
    const { json } = await relay.submit(destination.url);
    const finished = await relay.finished(json.id);
    t.like(finished.ext_response, { status: line, status_code: code, body: '' });
    t.is(finished.ext_response.error, undefined);
    t.is(destination.arrivals.length, 1, 'redirects are not followed');
  });
}

test('a body that is not UTF-8 is kept as base64, and says so', async (t) => {
  const relay = await startRelay(t);
  const bytes = Buffer.from([0xff, 0x00, 0xfe]);
  const destination = await startDestination(t, (_arrival, response) => response.end(bytes));
  const { json } = await relay.submit(destination.url);
  t.like((await relay.finished(json.id)).ext_response, {
    body: bytes.toString('base64'),
    encoding: 'base64',
  });
});

test('a body over the cap is cut at a whole character, and says so', async (t) => {
  const relay = await startRelay(t, ['--max-response=10b']);
  const destination = await startDestination(t, (_arrival, response) => response.end('12345678é0'));
  const { json } = await relay.submit(destination.url);
  t.like((await relay.finished(json.id)).ext_response, {
    status_code: 200,
    body: '12345678é',
    truncated: true,
  });
  destination.script = (_arrival, response) => response.end('123456789é');
  const second = await relay.submit(destination.url);
  t.like((await relay.finished(second.json.id)).ext_response, { body: '123456789', truncated: true });
});

test('a body of exactly the cap is whole', async (t) => {
  const relay = await startRelay(t, ['--max-response=10b']);
  const destination = await startDestination(t, (_arrival, response) => response.end('1234567890'));
  const { json } = await relay.submit(destination.url);
  t.is((await relay.finished(json.id)).ext_response.truncated, undefined);
});

test('a destination nobody listens at finishes the job with a gateway status and the error', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const { url } = destination;
  await destination.stop();
  const { json } = await relay.submit(url);
  const { ext_response } = await relay.finished(json.id);
  t.like(ext_response, {
    status: '502 Bad Gateway',
    body: '',
    error: { code: 'connect_failed', attempts: 1 },
  });
});

test('a destination that never answers finishes the job in time, and the lane goes on', async (t) => {
  const relay = await startRelay(t, ['--attempt-timeout=1s']);
  const destination = await startDestination(t, () => undefined);
  const { json } = await relay.submit(destination.url);
  t.like((await relay.finished(json.id)).ext_response, {
    status: '504 Gateway Timeout',
    error: { code: 'timeout', attempts: 1 },
  });
  destination.script = (_arrival, response) => response.end('awake');
  const next = await relay.submit(destination.url);
  t.is((await relay.finished(next.json.id)).ext_response.body, 'awake');
});

test('a destination that resets the connection finishes the job', async (t) => {
  const relay = await startRelay(t);
  const destination = await startDestination(t, (_arrival, response) => response.socket?.resetAndDestroy());
  const { json } = await relay.submit(destination.url);
  t.like((await relay.finished(json.id)).ext_response, {
    status_code: 502,
    error: { code: 'connection_reset' },
  });
});

test('an answer whose body breaks off keeps its status', async (t) => {
  const relay = await startRelay(t);
  const destination = await startDestination(t, (_arrival, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('half', () => response.socket?.destroy());
  });
  const { json } = await relay.submit(destination.url);
  const { ext_response } = await relay.finished(json.id);
  t.like(ext_response, { status: '200 OK', body: 'half', truncated: true });
  t.is(ext_response.error, undefined);
});

test('a body that never ends is given up at the deadline with its status kept', async (t) => {
  const relay = await startRelay(t, ['--attempt-timeout=1s']);
  const destination = await startDestination(t, (_arrival, response) => {
    response.writeHead(200);
    response.write('drip');
  });
  const { json } = await relay.submit(destination.url);
  t.like((await relay.finished(json.id)).ext_response, { status: '200 OK', body: 'drip', truncated: true });
});

test('jobs to one destination arrive one after another, in the order they were accepted', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const ids = [];
  for (let number = 0; number < 30; number += 1) {
    ids.push((await relay.submit(destination.url, `[${number}]`)).json.id);
  }
  for (const id of ids) await relay.finished(id);
  t.deepEqual(
    destination.arrivals.map(({ body }) => body.toString()),
    ids.map((_id, number) => `[${number}]`),
  );
});

test('an unknown id, another owner’s and one outside the macaroon’s destination get one and the same 404', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const macaroon = mintWith({ identifier: 'a', caveats: [`destination = ${destination.url}`] });
  const { json } = await relay.submit(destination.url, '{}', { macaroon });
  const ask = async (id: string, other: string): Promise<unknown> => {
    const answer = await relay.post('/export', { id }, { macaroon: other });
    return { status: answer.status, ...answer.json, request_id: '' };
  };
  const unknown = await ask('6f1a3c1e-2f7b-4f7a-9a6e-0c7a4b8d9e10', macaroon);
  t.like(unknown, { status: 404, code: 'unknown_job' });
  t.deepEqual(await ask(json.id, mintWith({ identifier: 'b' })), unknown);
  t.deepEqual(
    await ask(json.id, mintWith({ identifier: 'a', caveats: ['destination = https://other.example/'] })),
    unknown,
  );
  for (const id of [
    'not-a-uuid',
    '00000000-0000-0000-0000-000000000000',
    '../x',
    '__proto__',
    'x'.repeat(9999),
  ]) {
    t.deepEqual(await ask(id, macaroon), unknown, id);
  }
});

test('cancelling ends a job at once, for good', async (t) => {
  const relay = await startRelay(t);
  const destination = await startDestination(t, () => undefined);
  const { json } = await relay.submit(destination.url);
  await destination.arrived(1);
  const cancelled = await relay.post('/export', { id: json.id, action: 'cancel' });
  t.like(cancelled.json, {
    state: 'Finished',
    ext_response: { status: '503 Service Unavailable', error: { code: 'cancelled' } },
  });
  t.deepEqual((await relay.post('/lp/export', { id: json.id, action: 'cancel' })).json, cancelled.json);
});

test('a full lane answers 429 with Retry-After, and a full queue 503', async (t) => {
  const destination = await startDestination(t, () => undefined);
  const lane = await startRelay(t, ['--max-queued-per-lane=1']);
  await lane.submit(destination.url);
  const refused = await lane.submit(destination.url);
  t.like(refused, { status: 429, json: { code: 'lane_full' } });
  t.regex(String(refused.headers['retry-after']), /^\d+$/);
  const queue = await startRelay(t, ['--max-queued=1']);
  await queue.submit(destination.url);
  t.like(await queue.submit('http://127.0.0.1:9/'), { status: 503, json: { code: 'queue_full' } });
});

test('the destination must be one that exports may reach', async (t) => {
  const relay = await startRelay(t, [], { production: true });
  for (const [uri, rule] of [
    ['http://good.example/', 'http'],
    ['https://127.0.0.1/', 'loopback'],
    ['https://2130706433/', 'loopback'],
    ['https://localhost/', 'localhost'],
    ['https://169.254.169.254/', 'link_local'],
  ] as const) {
    t.like(await relay.submit(uri), { status: 403, json: { code: 'destination_refused', rule } }, uri);
  }
});

test('the relay itself is refused even where its network is allowed', async (t) => {
  const relay = await startRelay(t);
  t.like(await relay.submit(`${relay.url}/export`), { status: 403, json: { rule: 'own_listener' } });
});

test('an operator’s list of destinations, and the demand that the macaroon names one, are kept', async (t) => {
  const destination = await startDestination(t);
  const relay = await startRelay(t, [`--allow-destination=${destination.url}/*`, '--require-destination']);
  const below = `${destination.url}/here`;
  t.like(await relay.submit(below), { status: 403, json: { rule: 'require_destination' } });
  const macaroon = mint(`destination = http://127.0.0.1:${destination.port}/*`);
  t.is((await relay.submit(below, '{}', { macaroon })).status, 200);
  t.like(await relay.submit(`http://127.0.0.1:${destination.port}/other`, '{}', { macaroon }), {
    status: 403,
    json: { rule: 'destination_not_listed' },
  });
});
