import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { type ConnectError } from '#relay/delivery/connect_error.js';
import { reachableListeners } from '#relay/egress/own_listener.js';
import { eventually } from '../helpers/eventually.js';
import { type GuardedAgent, guardedAgent, type GuardedAgentOptions } from '../helpers/guarded_agent.js';
import { listenOnLoopback, type LoopbackServer } from '../helpers/loopback.js';
import { stubResolver } from '../helpers/resolver.js';

function agentFor(t: ExecutionContext, options?: GuardedAgentOptions): GuardedAgent {
  const agent = guardedAgent(options);
  t.teardown(() => agent.close());
  return agent;
}

/** A destination that answers 200 and, so that each export needs a connection, closes. */
async function destinationFor(t: ExecutionContext): Promise<LoopbackServer> {
  const server = createServer((request, response) => {
    request.resume();
    response.setHeader('connection', 'close').end();
  });
  const listening = await listenOnLoopback(server);
  t.teardown(() => listening.close());
  return listening;
}

/** What a failure was, without the parts that differ from run to run. */
function failureOf(outcome: number | ConnectError): unknown {
  return typeof outcome === 'number' ? outcome : outcome.failure;
}

test('an export reaches an allowed literal and an allowed name', async (t) => {
  const { port } = await destinationFor(t);
  const { lookup, asked } = stubResolver(['127.0.0.1']);
  const agent = agentFor(t, { lookup });
  t.is(await agent.post(`http://127.0.0.1:${port}/`), 200);
  t.is(await agent.post(`http://0x7f.1:${port}/`), 200);
  t.deepEqual(asked, [], 'a literal needs no resolver');
  t.is(await agent.post(`http://good.test:${port}/`), 200);
  t.deepEqual(asked, ['good.test'], 'a name is resolved once, and not again to connect');
});

test('a literal of a refused class is not connected to', async (t) => {
  const { port, accepted } = await destinationFor(t);
  const agent = agentFor(t, { allowNetworks: [] });
  for (const host of ['127.0.0.1', '127.1', '0', '[::ffff:127.0.0.1]', '[::ffff:0:0]']) {
    const outcome = await agent.post(`http://${host}:${port}/`);
    t.like(failureOf(outcome), { reason: 'refused_address', host: 'literal' }, host);
  }
  t.is(accepted(), 0);
});

test('a name with one refused address among its answers is not connected to', async (t) => {
  const { port, accepted } = await destinationFor(t);
  for (const answer of [
    ['127.0.0.1', '10.0.0.5'],
    ['10.0.0.5', '127.0.0.1'],
    ['127.0.0.1', '::1'],
    ['127.0.0.1', '::ffff:10.0.0.5'],
    ['127.0.0.1', 'CNAME arbiter.'],
    ['127.0.0.1', ''],
  ]) {
    const { lookup } = stubResolver(answer);
    const agent = agentFor(t, { allowNetworks: ['127.0.0.0/8'], lookup });
    const outcome = await agent.post(`http://mixed.test:${port}/`);
    t.like(failureOf(outcome), { reason: 'refused_address', host: 'name' }, answer.join());
  }
  t.is(accepted(), 0);
});

test('a name that is rebound between two exports is refused the second time', async (t) => {
  const { port, accepted } = await destinationFor(t);
  const { lookup } = stubResolver(['127.0.0.1'], ['127.0.0.1'], ['127.0.0.2']);
  const agent = agentFor(t, { allowNetworks: ['127.0.0.1'], lookup });
  t.is(await agent.post(`http://rebind.test:${port}/`), 200);
  t.is(await agent.post(`http://rebind.test:${port}/`), 200);
  t.like(failureOf(await agent.post(`http://rebind.test:${port}/`)), {
    rule: 'loopback',
    address: '127.0.0.2',
  });
  t.is(accepted(), 2);
});

test('only the addresses that were vetted are connected to, the next after one that fails', async (t) => {
  const { port } = await destinationFor(t);
  const { lookup, asked } = stubResolver(['::1', '127.0.0.1'], ['127.0.0.99', '127.0.0.1']);
  const agent = agentFor(t, { lookup });
  t.is(await agent.post(`http://dual.test:${port}/`), 200);
  t.is(await agent.post(`http://dual.test:${port}/`), 200);
  t.is(asked.length, 2);
});

test("the relay's own listeners are refused though their network is allowed", async (t) => {
  const { port, accepted } = await destinationFor(t);
  for (const bound of ['127.0.0.1', '0.0.0.0', '::']) {
    const { lookup } = stubResolver(['127.0.0.1']);
    const agent = agentFor(t, {
      allowNetworks: ['0.0.0.0/0', '::/0'],
      ownListeners: () => reachableListeners([{ address: bound, port }], ['127.0.0.1', '::1']),
      lookup,
    });
    for (const host of ['127.0.0.1', '0.0.0.0', '[::ffff:127.0.0.1]', 'self.test']) {
      const outcome = await agent.post(`http://${host}:${port}/`);
      t.like(failureOf(outcome), { reason: 'refused_address', rule: 'own_listener' }, `${host}, ${bound}`);
    }
  }
  t.is(accepted(), 0);
});

test('a connection whose peer turns out to be refused is closed before anything is sent', async (t) => {
  let received = 0;
  const server = createServer().on('connection', (socket) => {
    socket.on('data', (chunk) => (received += chunk.length));
  });
  const { port, accepted, open, close } = await listenOnLoopback(server);
  t.teardown(close);
  let judged = 0;
  const ownListeners = () => (++judged === 1 ? [] : [{ address: '127.0.0.1', port }]);
  const agent = agentFor(t, { ownListeners });
  const outcome = await agent.post(`http://127.0.0.1:${port}/`);
  t.like(failureOf(outcome), { reason: 'refused_address', rule: 'own_listener', address: '127.0.0.1' });
  await eventually(() => accepted() === 1 && open() === 0);
  t.is(received, 0);
});

test.serial('a connection whose peer the system has forgotten already is one that was reset', async (t) => {
  const { port, open } = await destinationFor(t);
  const forget = (message: unknown): void => {
    unsubscribe('net.client.socket', forget);
    if (typeof message !== 'object' || message === null || !('socket' in message)) t.fail();
    else Object.defineProperty(message.socket, 'remoteAddress', { value: undefined });
  };
  const agent = agentFor(t);
  // The next socket of this process: tests that are serial run while no other does.
  subscribe('net.client.socket', forget);
  const outcome = await agent.post(`http://127.0.0.1:${port}/`);
  t.deepEqual(failureOf(outcome), { reason: 'connect', code: 'ECONNRESET' });
  await eventually(() => open() === 0);
});

test('a name that does not resolve is a failure of dns, with the code of the resolver', async (t) => {
  for (const code of ['ENOTFOUND', 'EAI_AGAIN']) {
    const agent = agentFor(t, { lookup: stubResolver({ code }).lookup });
    const outcome = await agent.post('http://nowhere.test/');
    t.deepEqual(failureOf(outcome), { reason: 'dns', code });
    t.like(typeof outcome === 'number' ? {} : outcome.cause, { code });
  }
  const agent = agentFor(t, { lookup: stubResolver([]).lookup });
  t.like(failureOf(await agent.post('http://nowhere.test/')), { reason: 'dns' });
});

test('a resolver that never answers ends with the deadline', async (t) => {
  const agent = agentFor(t, { lookup: stubResolver('never answers').lookup, timeoutMs: 50 });
  t.deepEqual(failureOf(await agent.post('http://slow.test/')), { reason: 'timeout', during: 'dns' });
});

test('a resolver that answers after the deadline causes no connection', async (t) => {
  const { port, accepted } = await destinationFor(t);
  let answer: (addresses: readonly { address: string; family: number }[]) => void = () => undefined;
  const late = agentFor(t, { lookup: () => new Promise((resolve) => (answer = resolve)), timeoutMs: 20 });
  t.like(failureOf(await late.post(`http://slow.test:${port}/`)), { reason: 'timeout' });
  answer([{ address: '127.0.0.1', family: 4 }]);
  // A connection made in vain would have been accepted before this one.
  t.is(await agentFor(t).post(`http://127.0.0.1:${port}/`), 200);
  t.is(accepted(), 1);
});

/** Listens, and then never gets its turn: connections wait in the system, and once two do, further ones get nowhere. */
const listensAndBlocks = `
  const { createServer } = require('node:net');
  const { parentPort, workerData } = require('node:worker_threads');
  const server = createServer().listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    Atomics.wait(workerData, 0, 0);
    process.exit();
  });
`;

test('a connection that gets nowhere ends with the deadline', async (t) => {
  const blocked = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(listensAndBlocks, { eval: true, workerData: blocked });
  t.teardown(async () => {
    Atomics.store(blocked, 0, 1);
    Atomics.notify(blocked, 0);
    await once(worker, 'exit');
  });
  const [port] = (await once(worker, 'message')) as readonly number[];
  for (let waiting = 0; waiting < 2; waiting += 1) {
    const socket = connect(Number(port), '127.0.0.1').on('error', () => undefined);
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
  }
  const outcome = await agentFor(t, { timeoutMs: 50 }).post(`http://127.0.0.1:${port}/`);
  t.deepEqual(failureOf(outcome), { reason: 'timeout', during: 'connect' });
});

test('a destination that refuses connections is a failure to connect', async (t) => {
  const closed = await destinationFor(t);
  await closed.close();
  const { lookup } = stubResolver(['127.0.0.1', '127.0.0.1']);
  const agent = agentFor(t, { lookup });
  for (const host of ['127.0.0.1', 'closed.test']) {
    const outcome = await agent.post(`http://${host}:${closed.port}/`);
    t.deepEqual(failureOf(outcome), { reason: 'connect', code: 'ECONNREFUSED' });
    t.is(typeof outcome === 'number' ? '' : outcome.message, `no connection to ${host} (ECONNREFUSED)`);
  }
});

test('a URL without a port means that of its scheme', async (t) => {
  for (const [url, port] of [
    ['http://127.0.0.1/', 80],
    ['https://127.0.0.1/', 443],
  ] as const) {
    const agent = agentFor(t, { ownListeners: () => [{ address: '127.0.0.1', port }] });
    t.like(failureOf(await agent.post(url)), { rule: 'own_listener' }, url);
  }
});

test('port 0 is a failure to connect, like any port where nobody listens', async (t) => {
  t.like(failureOf(await agentFor(t).post('http://127.0.0.1:0/')), { reason: 'connect' });
});

test('many exports at once each get their own end', async (t) => {
  const { port, open } = await destinationFor(t);
  const { lookup } = stubResolver(['127.0.0.1']);
  const agent = agentFor(t, { lookup });
  const urls = Array.from({ length: 200 }, (_none, index) =>
    index % 2 === 0 ? `http://n${index % 7}.test:${port}/` : `http://10.0.0.${index}:${port}/`,
  );
  const outcomes = await Promise.all(urls.map((url) => agent.post(url)));
  t.is(outcomes.filter((outcome) => outcome === 200).length, 100);
  t.is(outcomes.filter((outcome) => outcome !== 200).length, 100);
  await eventually(() => open() === 0);
});
