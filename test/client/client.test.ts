import test from 'ava';
import {
  ExportAbortedError,
  ExportClient,
  ExportFailedError,
  type Job,
  RelayConnectionError,
  RelayProblemError,
  attenuate,
} from '#relay/client/index.js';
import { clientOf } from '../helpers/client.js';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free_port.js';
import { mint, startRelay } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';

test('an export resolves with what the destination answered', async (t) => {
  const destination = await startDestination(t, (_arrival, response) => {
    response.writeHead(201, { 'content-type': 'application/json', 'location': '/things/7' }).end('{"id":7}');
  });
  const client = clientOf(await startRelay(t));
  const answer = await client.export(destination.url, { k: [1, null] });
  t.is(answer.status, 201);
  t.is(answer.statusLine, '201 Created');
  t.true(answer.ok);
  t.false(answer.truncated);
  t.like(answer.headers, { 'content-type': 'application/json', 'location': '/things/7' });
  t.deepEqual(answer.json(), { id: 7 });
  t.is(answer.text(), '{"id":7}');
  t.deepEqual(Buffer.from(answer.bytes()).toString(), '{"id":7}');
  t.is(destination.arrivals[0]?.body.toString(), '{"k":[1,null]}');
});

test('text is delivered to the last digit; purpose and headers go along', async (t) => {
  const destination = await startDestination(t);
  const relay = await startRelay(t);
  const text = '{"n": 12345678901234567890.10}';
  await clientOf(relay).export(destination.url, text, {
    purpose: 'a test',
    headers: { authorization: 'Bearer of good news' },
  });
  t.is(destination.arrivals[0]?.body.toString(), text);
  t.is(destination.arrivals[0]?.headers.authorization, 'Bearer of good news');
});

test('every state is told, from Pending to Finished', async (t) => {
  const destination = await startDestination(t);
  const states: string[] = [];
  let letAnswer: () => void = () => undefined;
  const seenProcessing = new Promise<void>((resolve) => (letAnswer = resolve));
  destination.script = (_arrival, response) => void seenProcessing.then(() => response.end('ok'));
  await clientOf(await startRelay(t)).export(
    destination.url,
    {},
    {
      onState: ({ state }) => {
        states.push(state);
        if (state === 'Processing') letAnswer();
      },
    },
  );
  t.deepEqual(states, ['Pending', 'Processing', 'Finished']);
});

test('a destination that refuses is an answer, not an error', async (t) => {
  const destination = await startDestination(t, (_arrival, response) => response.writeHead(422).end('no'));
  const answer = await clientOf(await startRelay(t)).export(destination.url, {});
  t.is(answer.status, 422);
  t.false(answer.ok);
  t.is(answer.text(), 'no');
});

test('a body that is no text comes back byte for byte', async (t) => {
  const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * 7) % 256));
  const destination = await startDestination(t, (_arrival, response) => response.end(bytes));
  const answer = await clientOf(await startRelay(t)).export(destination.url, {});
  t.true(bytes.equals(answer.bytes()));
  t.true(answer.text().includes('\ufffd'));
});

test('an export that the relay gave up rejects with the job and its reason', async (t) => {
  const client = clientOf(await startRelay(t));
  const error = await t.throwsAsync(client.export(`http://127.0.0.1:${await freePort()}/`, {}), {
    instanceOf: ExportFailedError,
  });
  t.is(error.code, 'connect_failed');
  t.is(error.failure.attempts, 1);
  t.is(error.job.state, 'Finished');
  t.regex(error.message, /^the export failed \(connect_failed\): /);
});

test('problems come as errors that carry the document', async (t) => {
  const relay = await startRelay(t);
  const macaroon = mint('destination = https://a.example/in');
  const refused = await t.throwsAsync(clientOf(relay, { macaroon }).export('https://b.example/', {}), {
    instanceOf: RelayProblemError,
  });
  t.is(refused.status, 401);
  t.is(refused.code, 'caveat_not_satisfied');
  t.is(refused.caveat, 'destination = https://a.example/in');
  t.regex(refused.requestId ?? '', /^[0-9a-f-]{36}$/);
  t.is(refused.job, undefined);
  const invalid = await t.throwsAsync(clientOf(relay).submit('ftp://a.example/', '12'), {
    instanceOf: RelayProblemError,
  });
  t.is(invalid.status, 400);
  t.deepEqual(
    invalid.errors?.map(({ field }) => field),
    ['uri', 'data'],
  );
  const policy = await t.throwsAsync(clientOf(relay).submit('http://169.254.169.254/', {}), {
    instanceOf: RelayProblemError,
  });
  t.is(policy.code, 'destination_refused');
  t.is(policy.rule, 'link_local');
  t.truthy(policy.problem.document?.['type']);
});

test('a job can be submitted now and waited for later, by another client', async (t) => {
  const destination = await startDestination(t);
  const relay = await startRelay(t);
  const job = await clientOf(relay).submit(destination.url, {});
  t.is(job.state, 'Pending');
  t.is(job.version, 1);
  const answer = await clientOf(relay).wait(job.id);
  t.is(answer.text(), 'ok');
  const status = await clientOf(relay).status(job.id, { events: true });
  t.is(status.state, 'Finished');
  t.deepEqual(
    [...new Set(status.events?.map((event) => event.state))],
    ['Pending', 'Processing', 'Finished'],
  );
});

test('a job can be cancelled', async (t) => {
  const destination = await startDestination(t, () => undefined);
  const client = clientOf(await startRelay(t));
  const waiting = t.throwsAsync(client.export(destination.url, {}), { instanceOf: ExportFailedError });
  await destination.arrived(1);
  const [id] = [destination.arrivals[0]?.headers['idempotency-key']];
  const cancelled = await client.cancel(String(id));
  t.is(cancelled.state, 'Finished');
  t.is((await waiting).code, 'cancelled');
});

test('a dry run says what would happen, and nothing leaves', async (t) => {
  const destination = await startDestination(t);
  const client = clientOf(await startRelay(t), { macaroon: mint('method = POST') });
  t.deepEqual(await client.dryRun(destination.url, {}), {
    destination: destination.url,
    addresses: ['127.0.0.1'],
    caveats: ['method = POST'],
  });
  await t.throwsAsync(client.dryRun('http://10.0.0.256/', {}), { instanceOf: RelayProblemError });
  t.is(destination.arrivals.length, 0);
});

test('the same key leads to the same job; without one, every call is an export of its own', async (t) => {
  const destination = await startDestination(t);
  const client = clientOf(await startRelay(t));
  const first = await client.submit(destination.url, {}, { idempotencyKey: 'once' });
  const second = await client.submit(destination.url, {}, { idempotencyKey: 'once' });
  t.is(second.id, first.id);
  t.not((await client.submit(destination.url, {})).id, (await client.submit(destination.url, {})).id);
  const conflict = await t.throwsAsync(
    client.submit(destination.url, { other: 1 }, { idempotencyKey: 'once' }),
    { instanceOf: RelayProblemError },
  );
  t.is(conflict.code, 'idempotency_conflict');
});

test('a page can be handed a macaroon that follows one job and can do nothing else', async (t) => {
  const destination = await startDestination(t);
  const relay = await startRelay(t);
  const client = clientOf(relay);
  const job = await client.submit(destination.url, {});
  const other = await client.submit(destination.url, {});
  const macaroon = await attenuate(mint(), [`job = ${job.id}`, 'action = poll']);
  const page = clientOf(relay, { macaroon });
  t.is((await page.wait(job.id)).text(), 'ok');
  for (const call of [
    () => page.status(other.id),
    () => page.cancel(job.id),
    () => page.submit(destination.url, {}),
  ]) {
    await t.throwsAsync(call(), { instanceOf: RelayProblemError, message: /caveat_not_satisfied/ });
  }
});

test('an abort ends the wait at once, names the job and leaves it alone', async (t) => {
  const destination = await startDestination(t, () => undefined);
  const relay = await startRelay(t);
  const controller = new AbortController();
  const waiting = clientOf(relay).export(destination.url, {}, { signal: controller.signal });
  await destination.arrived(1);
  controller.abort('enough');
  const error = await t.throwsAsync(waiting, { instanceOf: ExportAbortedError, name: 'AbortError' });
  t.is(error.cause, 'enough');
  t.is(error.job?.id, String(destination.arrivals[0]?.headers['idempotency-key']));
  t.is((await clientOf(relay).status(String(error.job?.id))).state, 'Processing');
  await eventually(() => relay.service.stats().waiters === 0);
});

test('a signal that is aborted already lets nothing out', async (t) => {
  const destination = await startDestination(t);
  const relay = await startRelay(t);
  await t.throwsAsync(clientOf(relay).export(destination.url, {}, { signal: AbortSignal.abort() }), {
    instanceOf: ExportAbortedError,
  });
  t.deepEqual(relay.logged('request'), []);
});

test('what answers and is no relay is told apart from one that does not answer', async (t) => {
  const other = await startDestination(t, (_arrival, response) => response.end('{"hello":"world"}'));
  const client = new ExportClient({ url: `http://127.0.0.1:${other.port}`, macaroon: mint() });
  await t.throwsAsync(client.submit('https://a.example/', {}), {
    instanceOf: RelayConnectionError,
    message: /is not an export relay/,
  });
  t.is(other.arrivals.length, 1);
  other.script = (_arrival, response) => response.writeHead(404).end('<h1>Not here</h1>');
  await t.throwsAsync(client.submit('https://a.example/', {}), {
    instanceOf: RelayProblemError,
    message: 'the relay answered 404 http_404: <h1>Not here</h1>',
  });
});

test('the macaroon does not follow a redirect', async (t) => {
  const thief = await startDestination(t);
  const moved = await startDestination(t, (_arrival, response) =>
    response.writeHead(307, { location: thief.url }).end(),
  );
  const client = new ExportClient({ url: `http://127.0.0.1:${moved.port}`, macaroon: mint() });
  await t.throwsAsync(client.submit('https://a.example/', {}), { instanceOf: RelayProblemError });
  t.is(thief.arrivals.length, 0);
});

test('options that cannot be are refused by name, and no macaroon is repeated', (t) => {
  const good = { url: 'http://127.0.0.1:1', macaroon: mint() };
  for (const [options, message] of [
    [{ url: 'relay:8080' }, /^url: expects/],
    [{ url: 'ftp://relay/' }, /^url: expects/],
    [{ url: 'http://relay/?x=1' }, /^url: expects/],
    [{ url: 'http://user@relay/' }, /^url: expects no user name/],
    [{ macaroon: '' }, /^macaroon: expects/],
    [{ macaroon: 'sec ret' }, /^macaroon: expects (?!.*sec ret)/],
    [{ timeoutMs: 0 }, /^timeoutMs: expects/],
    [{ maxOutageMs: Number.NaN }, /^maxOutageMs: expects/],
    [{ requestTimeoutMs: -1 }, /^requestTimeoutMs: expects/],
  ] as const) {
    t.throws(() => new ExportClient({ ...good, ...options }), { instanceOf: TypeError, message });
  }
  t.notThrows(() => new ExportClient({ ...good, macaroon: `${mint()}\n` }));
});

test('what cannot be sent is refused before anything is', async (t) => {
  const relay = await startRelay(t);
  const client = clientOf(relay);
  await t.throwsAsync(
    client.submit('https://a.example/', () => undefined),
    { instanceOf: TypeError },
  );
  await t.throwsAsync(client.submit('https://a.example/', {}, { idempotencyKey: 'ä' }), {
    instanceOf: TypeError,
  });
  t.deepEqual(relay.logged('request'), []);
});

test('what onState throws ends the call, unchanged', async (t) => {
  const destination = await startDestination(t);
  const thrown = new RangeError('of the app');
  const call = clientOf(await startRelay(t)).export(
    destination.url,
    {},
    {
      onState: () => {
        throw thrown;
      },
    },
  );
  t.is(await t.throwsAsync(call), thrown);
});

test('a relay below a path is reached there', async (t) => {
  const job: Partial<Job> = { id: 'x', state: 'Pending' };
  const proxy = await startDestination(t, (_arrival, response) => response.end(JSON.stringify(job)));
  const client = new ExportClient({ url: `http://127.0.0.1:${proxy.port}/app/relay/`, macaroon: mint() });
  t.is((await client.status('x')).version, undefined);
  t.is(proxy.arrivals[0]?.path, '/app/relay/export');
});
