import { once } from 'node:events';
import test from 'ava';
import { WebSocket } from 'ws';
import type { Result } from '#relay/failure.js';
import { createBoundedServer } from '#relay/http/server.js';
import { IncomingBodies } from '#relay/http/incoming.js';
import { UnreadAnswers } from '#relay/http/unread.js';
import type { Job } from '#relay/job/job.js';
import { MacaroonVerifier } from '#relay/macaroon/verify.js';
import { ExportSockets } from '#relay/ws/sockets.js';
import { systemClock } from '#relay/clock.js';
import { eventually } from '../helpers/eventually.js';
import { createRegistry } from '../helpers/jobs.js';
import { listenOnLoopback } from '../helpers/loopback.js';
import { mint, secret } from '../helpers/relay.js';
import type { Cleanup } from '../helpers/scripted_destination.js';
import { ClientSocket } from '../helpers/sockets.js';

/** Sockets whose questions stay in work until the test answers them. */
class HeldAnswers {
  readonly waiting: ((answer: Result<Job>) => void)[] = [];
  asked = 0;

  ask(): Promise<Result<Job>> {
    this.asked += 1;
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Answers every question that is in work and every one that will be. */
  letGo(): void {
    this.ask = () => Promise.resolve(unknown);
    for (const answer of this.waiting) answer(unknown);
  }
}

const unknown: Result<Job> = { ok: false, failure: { code: 'unknown_job', detail: 'There is none.' } };

async function serve(t: Cleanup) {
  const held = new HeldAnswers();
  const bugs: unknown[] = [];
  const broken = { verifier: false };
  const sockets = new ExportSockets({
    clock: systemClock,
    registry: createRegistry().registry,
    exports: {
      submit: () => held.ask(),
      ask: () => held.ask(),
      dryRun: () => Promise.reject(new Error('not of this test')),
    },
    name: 'export-service',
    corsOrigins: [],
    maxBodyBytes: 1 << 20,
    incoming: new IncomingBodies(1 << 20),
    unread: new UnreadAnswers(1 << 20),
    verifier: () => {
      if (broken.verifier) throw new Error('a bug');
      return new MacaroonVerifier({ secrets: [secret], cacheEntries: 1 });
    },
    onRequest: () => undefined,
    onSocketClosed: () => undefined,
    onBug: (error) => bugs.push(error),
  });
  const server = createBoundedServer((_request, response) => response.end(), {
    maxConnections: 10,
    requestTimeoutMs: 30_000,
    wantsUpgrade: sockets.admits,
    onRefused: () => undefined,
  });
  server.on('upgrade', sockets.accept);
  const { port, close } = await listenOnLoopback(server);
  t.teardown(close);
  const open = async (): Promise<ClientSocket> => {
    const ws = new WebSocket(`ws://127.0.0.1:${port}/ws/export`, { headers: { 'x-api-key': mint() } });
    t.teardown(() => ws.terminate());
    await once(ws, 'open');
    return new ClientSocket(ws);
  };
  return { held, sockets, open, bugs, broken };
}

test('while a frame is in work the relay takes few more, and all are answered in the end', async (t) => {
  const { held, open } = await serve(t);
  const client = await open();
  const frame = JSON.stringify({ id: 'x', padding: 'x'.repeat(60_000) });
  for (let index = 0; index < 500; index += 1) client.send(frame);
  let ponged = false;
  client.ws.once('pong', () => (ponged = true));
  client.ws.ping();
  await eventually(() => held.asked === 1);
  // As much as the relay could read of 30 MB, had it wanted to: another client sends and receives twice that.
  const other = await open();
  for (let round = 0; round < 1000; round += 1) {
    const answered = once(other.ws, 'pong');
    other.ws.ping('x'.repeat(125));
    await answered;
  }
  t.is(held.asked, 1);
  t.false(ponged);
  t.true(client.ws.bufferedAmount > 0);
  held.letGo();
  await eventually(() => client.frames.length === 500);
  await eventually(() => ponged);
});

test('a stop waits for the answer that is in work, and then closes', async (t) => {
  const { held, sockets, open } = await serve(t);
  const client = await open();
  client.send({ id: 'x', ref: 'one' });
  client.send({ id: 'x', ref: 'two' });
  await eventually(() => held.asked === 1);
  const closed = sockets.close(60_000);
  held.letGo();
  await closed;
  t.is((await client.closed).code, 1001);
  t.deepEqual(
    client.frames.map(({ ref, code }) => [ref, code]),
    [
      ['one', 'unknown_job'],
      ['two', 'unknown_job'],
    ],
  );
});

test('a stop does not wait longer than it may for an answer', async (t) => {
  const { held, sockets, open } = await serve(t);
  const client = await open();
  client.send({ id: 'x' });
  await eventually(() => held.asked === 1);
  await sockets.close(50);
  t.is((await client.closed).code, 1006);
});

test('an answer that is ready when its client has gone is no bug', async (t) => {
  const { held, sockets, open, bugs } = await serve(t);
  const client = await open();
  client.send({ id: 'x' });
  client.send({ id: 'x' });
  await eventually(() => held.asked === 1);
  client.ws.terminate();
  await client.closed;
  await sockets.close(1000);
  held.letGo();
  await new Promise(setImmediate);
  t.deepEqual(bugs, []);
});

test('an exception is an internal problem for the client, and a bug for the log', async (t) => {
  const { held, open, bugs } = await serve(t);
  held.ask = () => Promise.reject(new Error('a secret of the code'));
  const client = await open();
  client.send({ id: 'x', ref: 'r' });
  const answer = await client.frame(() => true);
  t.like(answer, { ref: 'r', status: 500, code: 'internal' });
  t.false(JSON.stringify(answer).includes('secret'));
  t.is(bugs.length, 1);
  held.ask = () => Promise.resolve(unknown);
  t.like(await client.ask({ id: 'x' }), { code: 'unknown_job' });
});

test('a bug met while a handshake is judged leaves the request an ordinary one', async (t) => {
  const { open, bugs, broken } = await serve(t);
  broken.verifier = true;
  const error = await t.throwsAsync(open());
  t.is(error.message, 'Unexpected server response: 200');
  t.is(bugs.length, 1);
  broken.verifier = false;
  t.is((await open()).ws.readyState, WebSocket.OPEN);
});
