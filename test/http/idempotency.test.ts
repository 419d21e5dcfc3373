import { connect } from 'node:net';
import { once } from 'node:events';
import test from 'ava';
import { eventually } from '../helpers/eventually.js';
import { mint, mintWith, startRelay } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';

function withKey(key: string | string[]): { headers: Record<string, string | string[]> } {
  return { headers: { 'Idempotency-Key': key } };
}

test('a submission that is repeated with its key leads to the same job, which leaves once', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const first = await relay.submit(destination.url, '{"a":1}', withKey('order, 17'));
  const again = await relay.submit(destination.url, '{"a":1}', withKey('order, 17'));
  t.is(again.json.id, first.json.id);
  await relay.finished(first.json.id);
  const late = await relay.submit(destination.url, '{"a":1}', withKey('order, 17'));
  t.like(late, { status: 200, json: { id: first.json.id, state: 'Finished' } });
  t.is(late.json.ext_response.status, '200 OK');
  t.is(late.headers['etag'], '"3"');
  t.is(destination.arrivals.length, 1);
  t.is(destination.arrivals[0]?.headers['idempotency-key'], first.json.id, 'the destination gets our key');
});

test('twenty submissions at once with one key are one job', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      relay.post(
        index % 2 === 0 ? '/export' : '/lp/export',
        { id: '', uri: destination.url, data: {} },
        withKey('k'),
      ),
    ),
  );
  t.is(new Set(answers.map(({ json }) => json.id)).size, 1);
});

test('the same key with other data gets 422, and for another owner or uri it is another key', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const { json } = await relay.submit(destination.url, '{"a":1}', withKey('k'));
  t.like(await relay.submit(destination.url, '{"a":2}', withKey('k')), {
    status: 422,
    json: { code: 'idempotency_conflict' },
  });
  t.like(await relay.submit(destination.url, '{"a": 1}', withKey('k')), { status: 422 }, 'bytes count');
  const macaroon = mintWith({ identifier: 'another' });
  for (const other of [
    await relay.submit(destination.url, '{"a":2}', { ...withKey('k'), macaroon }),
    await relay.submit(`${destination.url}/below`, '{"a":2}', withKey('k')),
  ]) {
    t.is(other.status, 200);
    t.not(other.json.id, json.id);
  }
});

test('a repetition has to satisfy macaroon and policy like any submission', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  await relay.submit(destination.url, '{}', withKey('k'));
  for (const caveat of ['destination = https://other.example/', 'action = poll', 'bytes <= 1']) {
    const answer = await relay.submit(destination.url, '{}', { ...withKey('k'), macaroon: mint(caveat) });
    t.like(answer, { status: 401, json: { code: 'caveat_not_satisfied', caveat } });
  }
});

test('a repetition is answered while the lane is full', async (t) => {
  const relay = await startRelay(t, ['--max-queued-per-lane=1']);
  const destination = await startDestination(t, () => undefined);
  const { json } = await relay.submit(destination.url, '{}', withKey('k'));
  t.is((await relay.submit(destination.url)).status, 429);
  t.is((await relay.submit(destination.url, '{}', withKey('k'))).json.id, json.id);
});

for (const [keys, why] of [
  ['', 'empty'],
  ['k'.repeat(256), 'longer than 255 characters'],
  ['schlüssel', 'not ASCII'],
  [['a', 'b'], 'repeated'],
  [['a', 'a'], 'repeated, though the same'],
] as const) {
  test(`an Idempotency-Key that is ${why} gets 400 and queues nothing`, async (t) => {
    const [relay, destination] = [await startRelay(t), await startDestination(t)];
    // By hand: a client library would refuse to send some of these, or join them.
    const body = JSON.stringify({ id: '', uri: destination.url, data: '{}' });
    const socket = connect(relay.port, '127.0.0.1');
    const lines = [
      'POST /export HTTP/1.1',
      'Host: relay',
      `X-Api-Key: ${mint()}`,
      ...[keys].flat().map((key) => `Idempotency-Key: ${key}`),
      `Content-Length: ${body.length}`,
      'Connection: close',
    ];
    socket.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1'));
    let answer = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk));
    await once(socket, 'close');
    t.regex(answer, /^HTTP\/1\.1 400 .*"code":"invalid_request".*"field":"Idempotency-Key"/s);
    t.is(
      relay.service.stats().pending + relay.service.stats().processing + relay.service.stats().finished,
      0,
    );
  });
}

test('a key of 255 characters is taken', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  t.is((await relay.submit(destination.url, '{}', withKey('k'.repeat(255)))).status, 200);
});

test('repetitions may differ in headers and purpose: what is delivered is the first', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const body = { id: '', uri: destination.url, data: '{}', headers: { 'x-a': '1' }, purpose: 'first' };
  const first = await relay.post('/export', body, withKey('k'));
  const other = { ...body, headers: { 'x-a': '2' }, purpose: 'second' };
  const again = await relay.post('/export', other, withKey('k'));
  t.is(again.json.id, first.json.id);
  await relay.finished(first.json.id);
  t.is(destination.arrivals[0]?.headers['x-a'], '1');
});

test('a result that a repetition brought counts as read, so it makes way before one that nobody has seen', async (t) => {
  const relay = await startRelay(t, ['--max-kept=2']);
  const destination = await startDestination(t);
  const ids: string[] = [];
  for (const key of ['unseen', 'seen', 'last']) {
    ids.push((await relay.submit(destination.url, '{}', withKey(key))).json.id);
    await eventually(() => relay.service.stats().finished === Math.min(2, ids.length));
    await eventually(() => relay.logged('job').length === ids.length);
    if (key === 'seen') await relay.submit(destination.url, '{}', withKey(key));
  }
  const [unseen, seen] = ids;
  t.is((await relay.post('/export', { id: seen })).status, 404);
  t.is((await relay.post('/export', { id: unseen })).status, 200);
});
