import { once } from 'node:events';
import test from 'ava';
import { departureOf } from '#relay/http/departure.js';
import { createBoundedServer } from '#relay/http/server.js';
import { eventually } from '../helpers/eventually.js';
import { listenOnLoopback } from '../helpers/loopback.js';
import { open, post, readAll } from '../helpers/raw.js';
import { type RelayUnderTest, startRelay } from '../helpers/relay.js';
import { type Cleanup, startDestination } from '../helpers/scripted_destination.js';

const forever = '/lp/export?until=Finished&timeout=50';

/** A relay with a job whose destination does not answer. */
async function withJob(t: Cleanup): Promise<{ relay: RelayUnderTest; body: string; uri: string }> {
  const relay = await startRelay(t);
  const destination = await startDestination(t, () => undefined);
  const { json } = await relay.submit(destination.url);
  await destination.arrived(1);
  return { relay, body: JSON.stringify({ id: json.id }), uri: destination.url };
}

async function waiters(relay: RelayUnderTest, count: number): Promise<void> {
  await eventually(() => relay.service.stats().waiters === count);
}

test('a client that closes its sending side gets its answers all the same', async (t) => {
  const { relay, body, uri } = await withJob(t);
  const submission = JSON.stringify({ id: '', uri, data: '{}' });
  for (const [request, answer] of [
    [post('/export', body), /^HTTP\/1\.1 200 .*"state":"Processing"/s],
    [post('/export', submission), /^HTTP\/1\.1 200 .*"state":"Pending"/s],
    [post('/export', '{'), /^HTTP\/1\.1 400 .*"code":"malformed_json"/s],
  ] as const) {
    const socket = await open(t, relay);
    socket.end(request);
    t.regex(await readAll(socket), answer);
  }
});

for (const when of ['with the request', 'later'] as const) {
  test(`a client that closes its sending side ${when} gets the current state of its long poll at once`, async (t) => {
    const { relay, body } = await withJob(t);
    const socket = await open(t, relay);
    socket.write(post(forever, body));
    if (when === 'later') await waiters(relay, 1);
    socket.end();
    t.regex(await readAll(socket), /^HTTP\/1\.1 200 .*"state":"Processing"/s);
    t.is(relay.service.stats().waiters, 0);
  });
}

test('pipelined requests are all answered when their client closes its sending side', async (t) => {
  const { relay, body } = await withJob(t);
  const socket = await open(t, relay);
  socket.end(post(forever, body) + post('/export', body) + post(forever, body));
  t.is((await readAll(socket)).match(/HTTP\/1\.1 200 /g)?.length, 3);
  t.is(relay.service.stats().waiters, 0);
});

for (const how of ['closes', 'resets'] as const) {
  test(`all of a client's pipelined long polls free their waiters when it ${how}`, async (t) => {
    const { relay, body } = await withJob(t);
    const socket = await open(t, relay);
    socket.write(post(forever, body).repeat(20));
    await waiters(relay, 20);
    if (how === 'closes') socket.destroy();
    else socket.resetAndDestroy();
    await once(socket, 'close');
    await waiters(relay, 0);
    t.pass();
  });
}

test('a connection used for many long polls keeps nothing of those that were answered', async (t) => {
  const counts: number[] = [];
  const server = await listenOnLoopback(
    createBoundedServer(
      (request, response) => {
        departureOf(request, response);
        response.once('finish', () =>
          counts.push(request.socket.listenerCount('end') + request.socket.listenerCount('close')),
        );
        response.end('ok');
      },
      { maxConnections: 10, requestTimeoutMs: 1000, onRefused: () => undefined, wantsUpgrade: () => false },
    ),
  );
  t.teardown(() => server.close());
  const socket = await open(t, server);
  for (let poll = 1; poll <= 20; poll += 1) {
    socket.write(post('/lp/export', '{}'));
    await once(socket, 'data');
  }
  t.is(counts.length, 20);
  t.is(counts.at(-1), counts[0]);
});
