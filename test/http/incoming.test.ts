import { createServer } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { readBody } from '#relay/http/body.js';
import { IncomingBodies } from '#relay/http/incoming.js';
import { eventually } from '../helpers/eventually.js';
import { listenOnLoopback } from '../helpers/loopback.js';
import { head, open, post } from '../helpers/raw.js';
import { startRelay } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';

test('of bodies that take too much together the one that was begun first is given up', (t) => {
  const incoming = new IncomingBodies(100);
  const givenUp: string[] = [];
  const [first, second, third] = ['first', 'second', 'third'].map((name) => () => void givenUp.push(name));
  if (first === undefined || second === undefined || third === undefined) throw new Error('no bodies');
  incoming.note(first, 40);
  incoming.note(second, 30);
  incoming.note(first, 60);
  t.deepEqual([incoming.bytes, givenUp], [90, []]);
  incoming.note(third, 20);
  t.deepEqual([incoming.bytes, givenUp], [50, ['first']]);
  incoming.forget(first);
  incoming.forget(second);
  t.is(incoming.bytes, 20);
});

test('one body alone is never given up', (t) => {
  const incoming = new IncomingBodies(100);
  incoming.note(() => t.fail(), 1000);
  t.is(incoming.bytes, 1000);
});

test('bodies that clients hold back are given up for others that come', async (t) => {
  const relay = await startRelay(t, ['--max-body=100kb', '--max-memory=400kb', '--max-response=1kb']);
  const destination = await startDestination(t);
  const answers: string[] = [];
  for (let number = 0; number < 6; number += 1) {
    const socket = await open(t, relay);
    socket.setEncoding('latin1').on('data', (text: string) => answers.push(`${number}: ${text}`));
    socket.write(`${head('Content-Length: 100000')}${' '.repeat(60_000)}`);
    if (number < 3) continue;
    await eventually(() => answers.length >= number - 2);
  }
  t.deepEqual(
    answers.map((answer) => /^\d: HTTP\/1.1 503 .*"code":"queue_full"/s.exec(answer)?.[0][0]),
    ['0', '1', '2'],
  );
  t.regex(answers[0] ?? '', /^retry-after: 1\r$/im);
  const { json } = await relay.submit(destination.url, JSON.stringify(['x'.repeat(90_000)]));
  t.is((await relay.finished(json.id)).state, 'Finished');
});

test('a body in chunks of one byte takes little more memory than its bytes', async (t) => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const heapUsed = (): number => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const incoming = new IncomingBodies(Infinity);
  const server = await listenOnLoopback(
    createServer((request, response) => void readBody(request, response, { maxBytes: 1e6, incoming })),
  );
  t.teardown(() => server.close());
  const socket = await open(t, server);
  const before = heapUsed();
  socket.write(`${head('Transfer-Encoding: chunked')}${'1\r\n \r\n'.repeat(50_000)}`);
  await eventually(() => incoming.bytes >= 50_000);
  const grown = heapUsed() - before;
  t.true(incoming.bytes <= 100_000, `${incoming.bytes} bytes held`);
  t.true(grown < 5_000_000, `${grown} bytes`);
});

test('long polls that are held keep nothing of what was sent', async (t) => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const used = (): number => {
    collectGarbage();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const relay = await startRelay(t, ['--max-body=200kb', '--max-memory=1mb', '--max-response=1kb']);
  const destination = await startDestination(t, () => undefined);
  const { json } = await relay.submit(destination.url);
  const before = used();
  for (let number = 0; number < 20; number += 1) {
    const body = JSON.stringify({ id: json.id, padding: 'x'.repeat(190_000) });
    (await open(t, relay)).write(post('/lp/export?until=Finished&timeout=50', body));
    await eventually(() => relay.service.stats().waiters === number + 1);
  }
  await eventually(() => used() - before < 2_000_000);
  t.is(relay.service.stats().waiters, 20);
});
