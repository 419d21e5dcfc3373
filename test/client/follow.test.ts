import { once } from 'node:events';
import { createServer } from 'node:http';
import test from 'ava';
import { WebSocket, WebSocketServer } from 'ws';
import {
  ExportAbortedError,
  ExportClient,
  type Job,
  RelayProblemError,
  attenuate,
} from '#relay/client/index.js';
import { mayOpenSocket } from '#relay/client/socket.js';
import { clientOf } from '../helpers/client.js';
import { eventually } from '../helpers/eventually.js';
import { FakeClock, settled } from '../helpers/fake_clock.js';
import { listenOnLoopback } from '../helpers/loopback.js';
import { type RelayUnderTest, mint, startRelay } from '../helpers/relay.js';
import { type Cleanup, type ScriptedDestination, startDestination } from '../helpers/scripted_destination.js';

async function open(t: Cleanup): Promise<{ destination: ScriptedDestination; relay: RelayUnderTest }> {
  const destination = await startDestination(t, () => undefined);
  return { destination, relay: await startRelay(t) };
}

/** Follows a job that waits in Processing, lets it finish once that was seen, and gives the states. */
async function statesOf(
  client: ExportClient,
  destination: ScriptedDestination,
  options?: { readonly signal?: AbortSignal },
): Promise<readonly string[]> {
  let finish: () => void = () => undefined;
  destination.script = (_arrival, response) => (finish = () => response.end('ok'));
  const job = await client.submit(destination.url, {});
  await destination.arrived(1);
  const states: string[] = [];
  for await (const { state } of client.follow(job.id, options)) {
    states.push(state);
    if (state === 'Processing') finish();
  }
  return states;
}

test('a job is followed over the WebSocket where there is one', async (t) => {
  const { destination, relay } = await open(t);
  const client = clientOf(relay, { WebSocket });
  t.deepEqual(await statesOf(client, destination), ['Processing', 'Finished']);
  await eventually(() => relay.logged('websocket').length === 1);
  t.false(relay.logged('request').some(({ route }) => route === '/lp/export'));
});

test('a job is followed by long polls where there is none', async (t) => {
  const { destination, relay } = await open(t);
  t.deepEqual(await statesOf(clientOf(relay), destination), ['Processing', 'Finished']);
  t.true(relay.logged('request').some(({ route }) => route === '/lp/export'));
});

for (const [what, macaroon, tried] of [
  ['forbids the socket is not even tried on it', mint('path = /*export', 'method = POST'), false],
  ['names another path is not even tried on it', mint('path = /lp/*'), false],
  ['is refused at the socket polls instead', mint('action = poll|submit', 'path = /*'), true],
] as const) {
  test(`a macaroon that ${what}`, async (t) => {
    const { destination, relay } = await open(t);
    const job = await clientOf(relay).submit(destination.url, {});
    const tries: string[] = [];
    // A proxy that knows nothing of WebSockets.
    class Failing extends WebSocket {
      constructor(url: string, protocols: string[]) {
        tries.push(url);
        super(url.replace('/ws/export', '/nowhere'), protocols);
      }
    }
    const usable = tried ? macaroon : mint('method = POST');
    const client = clientOf(relay, { macaroon: usable, WebSocket: Failing });
    t.is(mayOpenSocket(macaroon), tried);
    for (let times = 0; times < 2; times += 1) {
      for await (const { state } of client.follow(job.id)) {
        t.truthy(state);
        break;
      }
    }
    t.is(tries.length, tried ? 1 : 0);
  });
}

test('a socket that breaks is replaced by long polls, and no state comes twice', async (t) => {
  const { destination, relay } = await open(t);
  const sockets: WebSocket[] = [];
  class Watched extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      sockets.push(this);
    }
  }
  const client = clientOf(relay, { WebSocket: Watched });
  let finish: () => void = () => undefined;
  destination.script = (_arrival, response) => (finish = () => response.end('ok'));
  const job = await client.submit(destination.url, {});
  await destination.arrived(1);
  const states: string[] = [];
  for await (const { state } of client.follow(job.id)) {
    states.push(state);
    sockets[0]?.terminate();
    finish();
  }
  t.deepEqual(states, ['Processing', 'Finished']);
  t.is(sockets.length, 1);
});

test('a job that the relay does not know is an error, over the socket too', async (t) => {
  const { relay } = await open(t);
  for (const options of [{}, { WebSocket }] as const) {
    const states = clientOf(relay, options).follow('00000000-0000-4000-8000-000000000000');
    const error = await t.throwsAsync(() => states.next(), { instanceOf: RelayProblemError });
    t.is(error.code, 'unknown_job');
    t.deepEqual(await states.next(), { done: true, value: undefined });
  }
});

test('a finished job is one state', async (t) => {
  const { destination, relay } = await open(t);
  destination.script = (_arrival, response) => response.end('ok');
  const client = clientOf(relay, { WebSocket });
  const answer = await client.export(destination.url, {});
  t.true(answer.ok);
  const [id] = relay.logged('job').map(({ job_id: jobId }) => String(jobId));
  const states: Job[] = [];
  for await (const job of client.follow(String(id))) states.push(job);
  t.deepEqual(
    states.map(({ state }) => state),
    ['Finished'],
  );
});

for (const [how, options] of [
  ['long polls', {}],
  ['the WebSocket', { WebSocket }],
] as const) {
  test(`leaving the loop releases everything: ${how}`, async (t) => {
    const { destination, relay } = await open(t);
    const client = clientOf(relay, options);
    const job = await client.submit(destination.url, {});
    await destination.arrived(1);
    for await (const { state } of client.follow(job.id)) {
      t.is(state, 'Processing');
      break;
    }
    await eventually(() => relay.service.stats().waiters === 0);
  });

  test(`leaving while a state is waited for ends the wait at once: ${how}`, async (t) => {
    const { destination, relay } = await open(t);
    const client = clientOf(relay, options);
    const job = await client.submit(destination.url, {});
    await destination.arrived(1);
    const states = client.follow(job.id);
    t.is((await states.next()).value?.state, 'Processing');
    const waiting = states.next();
    await eventually(() => relay.service.stats().waiters === 1);
    t.deepEqual(await states.return?.(), { done: true, value: undefined });
    t.deepEqual(await waiting, { done: true, value: undefined });
    await eventually(() => relay.service.stats().waiters === 0);
  });

  test(`an abort ends the loop with an error that names the job: ${how}`, async (t) => {
    const { destination, relay } = await open(t);
    const client = clientOf(relay, options);
    const job = await client.submit(destination.url, {});
    await destination.arrived(1);
    const controller = new AbortController();
    const states = client.follow(job.id, { signal: controller.signal });
    await states.next();
    const waiting = states.next();
    await eventually(() => relay.service.stats().waiters === 1);
    controller.abort(new Error('enough'));
    const error = await t.throwsAsync(waiting, { instanceOf: ExportAbortedError });
    t.is(error.job?.id, job.id);
    await eventually(() => relay.service.stats().waiters === 0);
  });
}

test('a macaroon for one job opens the socket and follows that job', async (t) => {
  const { destination, relay } = await open(t);
  const job = await clientOf(relay).submit(destination.url, {});
  await destination.arrived(1);
  const macaroon = await attenuate(mint(), [`job = ${job.id}`, 'action = poll']);
  for await (const { state } of clientOf(relay, { macaroon, WebSocket }).follow(job.id)) {
    t.is(state, 'Processing');
    break;
  }
  await eventually(() => relay.logged('websocket').length === 1);
});

test('a socket that says nothing is asked, and if it stays silent, given up', async (t) => {
  const frames: string[] = [];
  const server = createServer((_request, response) => {
    response.end(
      JSON.stringify({ id: 'j', state: 'Finished', ext_response: { status: '200 OK', body: '' } }),
    );
  });
  const mute = new WebSocketServer({ server, handleProtocols: () => 'export-relay' });
  mute.on('connection', (socket) => socket.on('message', (data: Buffer) => frames.push(data.toString())));
  const { port, close, open: connections } = await listenOnLoopback(server);
  t.teardown(close);
  const clock = new FakeClock();
  const client = new ExportClient({ url: `http://127.0.0.1:${port}`, macaroon: mint(), WebSocket, clock });
  const states = client.follow('j');
  const first = states.next();
  await once(mute, 'connection');
  await eventually(() => frames.length === 1);
  await clock.advance(30_000);
  await eventually(() => frames.length === 2);
  await clock.advance(10_000);
  t.is((await first).value?.state, 'Finished');
  await states.return?.();
  await settled();
  t.is(clock.armed, 0);
  t.deepEqual(frames, ['{"id":"j"}', '{"id":"j"}']);
  await eventually(() => [...mute.clients].length === 0);
  t.true(connections() <= 1);
});
