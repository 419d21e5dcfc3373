import test from 'ava';
import { eventually } from '../helpers/eventually.js';
import { mint, startRelay } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';
import { openSocket } from '../helpers/sockets.js';

test('ten jobs submitted on one socket are followed to their ends, every state of each in order', async (t) => {
  const relay = await startRelay(t);
  const destination = await startDestination(t, ({ body }, response) =>
    response.end(`got ${body.toString()}`),
  );
  const client = await openSocket(t, relay);
  for (let index = 0; index < 10; index += 1) {
    client.send({ id: '', uri: `${destination.url}/${index}`, data: { index }, ref: `job ${index}` });
  }
  await eventually(() => client.frames.filter(({ state }) => state === 'Finished').length === 10);
  for (let index = 0; index < 10; index += 1) {
    const { id } = await client.frame(({ ref }) => ref === `job ${index}`);
    const frames = client.about(id);
    t.deepEqual(
      frames.map(({ state, version, ref }) => [state, version, ref]),
      [
        ['Pending', 1, `job ${index}`],
        ['Processing', 2, undefined],
        ['Finished', 3, undefined],
      ],
    );
    t.is(frames[2]?.ext_response.body, `got {"index":${index}}`);
  }
  t.is(relay.service.stats().waiters, 0);
});

test('a bare object is delivered byte for byte', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const client = await openSocket(t, relay);
  const data = '{ "n": 12345678901234567890, "x": 1.0,\t"x": [1e400] }';
  client.send(`{"ref": "r", "uri": ${JSON.stringify(destination.url)}, "data": ${data}, "id": ""}`);
  await destination.arrived(1);
  t.is(destination.arrivals[0]?.body.toString(), data);
});

test('a job of elsewhere is followed from the moment it is asked about', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t, () => undefined)];
  const { json } = await relay.submit(destination.url);
  await destination.arrived(1);
  const client = await openSocket(t, relay);
  t.like(await client.ask({ id: json.id }), { state: 'Processing', version: 2 });
  await relay.post('/export', { id: json.id, action: 'cancel' });
  const push = await client.frame(({ state }) => state === 'Finished');
  t.like(push, { id: json.id, version: 3, ext_response: { error: { code: 'cancelled' } } });
});

test('a cancellation is answered once, with its ref, and not pushed on top', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t, () => undefined)];
  const client = await openSocket(t, relay);
  const { id } = await client.ask({ id: '', uri: destination.url, data: '{}' });
  await destination.arrived(1);
  t.like(await client.ask({ id, action: 'cancel' }), { state: 'Finished', version: 3 });
  t.like(await client.ask({ id }), { state: 'Finished', version: 3 });
  t.deepEqual(
    client.about(id).map(({ version }) => version),
    [1, 2, 3, 3],
  );
  t.is(relay.service.stats().waiters, 0);
});

test('what a client sees of a job never goes back, however it asks and cancels', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const client = await openSocket(t, relay);
  const ids: string[] = [];
  for (let round = 0; round < 20; round += 1) {
    const { id } = await client.ask({ id: '', uri: `${destination.url}/${round}`, data: '{}' });
    ids.push(id);
    for (let poll = 0; poll < 10; poll += 1) client.send({ id, ...(poll === 5 ? { action: 'cancel' } : {}) });
  }
  // The frame after all others is answered after all others, pushes included once nobody waits any more.
  await client.ask({ id: 'x' });
  await eventually(() => relay.service.stats().waiters === 0);
  await client.ask({ id: 'x' });
  for (const id of ids) {
    const versions = client.about(id).map(({ version = 0 }) => version);
    t.deepEqual(
      versions,
      versions.toSorted((a, b) => a - b),
    );
    t.is(client.about(id).at(-1)?.state, 'Finished');
  }
});

test('a job that is tried again is pushed at every attempt', async (t) => {
  const relay = await startRelay(t, ['--attempts=3']);
  const destination = await startDestination(t, (_arrival, response) => {
    response.writeHead(503, { 'retry-after': '0' }).end();
  });
  const client = await openSocket(t, relay);
  const { id } = await client.ask({ id: '', uri: destination.url, data: '{}' });
  await client.frame(({ state }) => state === 'Finished');
  t.deepEqual(
    client.about(id).map(({ version, attempts }) => [version, attempts]),
    [1, 2, 3, 4, 5].map((version) => [version, Math.min(version - 1, 3)]),
  );
});

test('a result that was pushed counts as read: it goes before one that nobody has seen', async (t) => {
  const [relay, destination] = [await startRelay(t, ['--max-kept=2']), await startDestination(t)];
  const unread = await relay.submit(destination.url);
  await eventually(() => relay.service.stats().finished === 1);
  const client = await openSocket(t, relay);
  const pushed = await client.ask({ id: '', uri: destination.url, data: '{}' });
  await client.frame(({ state }) => state === 'Finished');
  const last = await relay.submit(destination.url);
  await relay.finished(last.json.id);
  t.is((await relay.post('/export', { id: pushed.id })).status, 404);
  t.is((await relay.post('/export', { id: unread.json.id })).status, 200);
});

const badFrames: readonly { readonly frame: string; readonly code: string; readonly field?: string }[] = [
  { frame: '', code: 'malformed_json' },
  { frame: '{"id":', code: 'malformed_json' },
  { frame: '\u{feff}{"id":""}', code: 'malformed_json' },
  { frame: '[]', code: 'invalid_request', field: '' },
  { frame: 'null', code: 'invalid_request', field: '' },
  { frame: '{}', code: 'invalid_request', field: 'id' },
  { frame: '{"id":"","data":{}}', code: 'invalid_request', field: 'uri' },
  { frame: '{"id":"","uri":"https://x.example/","data":1}', code: 'invalid_request', field: 'data' },
  { frame: '{"id":"x","action":"delete"}', code: 'invalid_request', field: 'action' },
  { frame: '{"id":"x","ref":1}', code: 'invalid_request', field: 'ref' },
  { frame: `{"id":"x","ref":"${'r'.repeat(256)}"}`, code: 'invalid_request', field: 'ref' },
  { frame: '{"id":"x"}', code: 'unknown_job' },
  { frame: '{"id":"","uri":"ftp://x.example/","data":{}}', code: 'invalid_request', field: 'uri' },
];

test('a bad frame gets a problem, and the socket goes on', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const client = await openSocket(t, relay);
  for (const { frame } of badFrames) client.send(frame);
  t.like(await client.ask({ id: '', uri: destination.url, data: '{}' }), { state: 'Pending' });
  for (const [index, { frame, code, field }] of badFrames.entries()) {
    const answer = client.frames[index];
    t.is(answer?.code, code, frame);
    t.is(answer?.errors?.[0]?.field, field, frame);
    t.regex(String(answer?.['request_id']), /^[0-9a-f-]{36}$/);
  }
});

test('a ref of 255 characters comes back from a problem too', async (t) => {
  const client = await openSocket(t, await startRelay(t));
  const ref = '\u{1F600}"\\'.padEnd(255, 'é');
  client.send({ id: 'x', ref });
  t.like(await client.frame((frame) => frame.ref === ref), { status: 404, code: 'unknown_job' });
});

test('caveats on the job are judged frame by frame', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const macaroon = mint(`destination = ${destination.url}/*`, 'action = submit|poll', 'bytes <= 4');
  const client = await openSocket(t, relay, { macaroon });
  const submit = { id: '', uri: `${destination.url}/a`, data: '{}' };
  t.like(await client.ask({ ...submit, uri: `${destination.url}-else` }), {
    status: 401,
    code: 'caveat_not_satisfied',
    caveat: `destination = ${destination.url}/*`,
  });
  t.like(await client.ask({ ...submit, data: '{"a":1}' }), { caveat: 'bytes <= 4' });
  const { id } = await client.ask(submit);
  t.like(await client.ask({ id, action: 'cancel' }), { caveat: 'action = submit|poll' });
  const elsewhere = await relay.submit(`${destination.url}-else`);
  t.like(await client.ask({ id: elsewhere.json.id }), { status: 404, code: 'unknown_job' });
  t.is((await relay.finished(id)).state, 'Finished');
});

test('a socket that was narrowed to one job sees that job and nothing else', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const { json } = await relay.submit(destination.url);
  const client = await openSocket(t, relay, { macaroon: mint(`job = ${json.id}`, 'action = poll') });
  await client.ask({ id: json.id });
  await client.frame(({ state }) => state === 'Finished');
  t.like(await client.ask({ id: '', uri: destination.url, data: '{}' }), { code: 'caveat_not_satisfied' });
});

test('beyond the waiters there may be, a job is accepted but said not to be followed', async (t) => {
  const relay = await startRelay(t, ['--max-waiters=1']);
  const destination = await startDestination(t, () => undefined);
  const client = await openSocket(t, relay);
  await client.ask({ id: '', uri: `${destination.url}/1`, data: '{}' });
  const { id } = await client.ask({
    id: '',
    uri: destination.url.replace('127.0.0.1', 'localhost'),
    data: '{}',
  });
  const lost = await client.frame(({ code }) => code === 'too_many_waiters');
  t.like(lost, { id, status: 503, retry_after: 1 });
  t.is(relay.service.stats().waiters, 1);
});

test('a socket follows a thousand unfinished jobs and accepts none that it could not follow', async (t) => {
  const relay = await startRelay(t, ['--max-queued-per-lane=2000']);
  const destination = await startDestination(t, () => undefined);
  const client = await openSocket(t, relay);
  for (let index = 0; index <= 1000; index += 1) client.send({ id: '', uri: destination.url, data: '{}' });
  const refused = await client.frame(({ code }) => code !== undefined);
  t.like(refused, { code: 'too_many_waiters', status: 503 });
  const { pending, processing, waiters } = relay.service.stats();
  t.deepEqual([pending + processing, waiters], [1000, 1000]);
  const first = client.frames[0]?.id ?? '';
  t.like(await client.ask({ id: first, action: 'cancel' }), { state: 'Finished' });
  t.like(await client.ask({ id: '', uri: destination.url, data: '{}' }), { state: 'Pending' });
});

test('frames, the handshake and the end of a socket are logged, and nothing that was sent', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const client = await openSocket(t, relay, {
    headers: {},
    protocols: ['export-relay', `macaroon.${mint()}`],
  });
  await client.ask({ id: '', uri: destination.url, data: '{"private":"payload"}' });
  await client.ask({ id: 'private' });
  await client.frame(({ state }) => state === 'Finished');
  client.ws.close(1000, 'private');
  await eventually(() => relay.logged('websocket').length === 1);
  t.like(relay.logged('websocket')[0], { level: 'info', close_code: 1000, frames: 2, pushes: 2 });
  const lines = relay
    .logged('request')
    .map(({ route, method, status, code }) => [route, method, status, code]);
  t.deepEqual(lines, [
    ['/ws/export', 'GET', 101, undefined],
    ['/ws/export', 'GET', 200, undefined],
    ['/ws/export', 'GET', 404, 'unknown_job'],
  ]);
  for (const word of ['private', 'payload', mint()]) t.false(relay.log.includes(word), word);
});

test('a dry run is answered with what it found, and nothing leaves', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const client = await openSocket(t, relay);
  const found = await client.ask({ id: '', uri: destination.url, data: '{}', dry_run: true });
  t.like(found, {
    id: '',
    dry_run: { destination: destination.url, addresses: ['127.0.0.1'] },
  });
  t.like(await client.ask({ id: '', uri: relay.url, data: '{}', dry_run: true }), { rule: 'own_listener' });
  t.is(relay.service.stats().finished + relay.service.stats().pending, 0);
  t.is(destination.arrivals.length, 0);
});

test('an idempotency key makes a second submission the first one’s job', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const client = await openSocket(t, relay);
  const submission = { id: '', uri: destination.url, data: '{"a":1}', idempotency_key: 'key' };
  const { id } = await client.ask(submission);
  t.is((await client.ask(submission)).id, id);
  t.is(
    (await relay.submit(destination.url, '{"a":1}', { headers: { 'idempotency-key': 'key' } })).json.id,
    id,
  );
  t.like(await client.ask({ ...submission, data: '{}' }), { status: 422, code: 'idempotency_conflict' });
  await relay.finished(id);
  t.is(destination.arrivals.length, 1);
});

test('fields that a frame gives wrongly are reported together', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const client = await openSocket(t, relay);
  const answer = await client.ask({ id: '', uri: 'x', data: '{}', dry_run: 'yes', idempotency_key: '' });
  t.deepEqual(
    answer.errors?.map(({ field }) => field),
    ['idempotency_key', 'dry_run', 'uri'],
  );
  const { id } = await client.ask({ id: '', uri: destination.url, data: '{}' });
  t.like(await client.ask({ id, dry_run: true }), { status: 400, errors: [{ field: 'dry_run' }] });
});
