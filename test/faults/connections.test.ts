import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { answers, answersAndCloses, answersAndResets } from '../helpers/answers.js';
import { eventually } from '../helpers/eventually.js';
import {
  expectOutcome,
  givenUp,
  type Outcome,
  outcomeOf,
  sharedRelay,
  triedAgain,
} from '../helpers/misbehaviour.js';
import { type Behaviour, behave, startRawDestination } from '../helpers/raw_destination.js';

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const whole: Outcome = { status: '200 OK', body: 'ok' };

const rows: readonly (readonly [name: string, behaviour: Behaviour, expected: Outcome])[] = [
  ['a reset at once', (peer) => peer.reset(), triedAgain],
  ['the end at once', (peer) => peer.end(), triedAgain],
  [
    'a reset in the middle of the request',
    async (peer) => {
      await peer.head();
      peer.reset();
    },
    triedAgain,
  ],
  ['a reset instead of an answer', answersAndResets(''), triedAgain],
  ['the end instead of an answer', answersAndCloses(''), triedAgain],
  ['a reset within the status line', answersAndResets('HTTP/1.1 20'), triedAgain],
  ['the end within the status line', answersAndCloses('HTTP/1.1 20'), triedAgain],
  ['the end within a word of one letter', answersAndCloses('H'), triedAgain],
  ['a reset within the headers', answersAndResets('HTTP/1.1 200 OK\r\ncontent-le'), triedAgain],
  ['the end within the headers', answersAndCloses('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n'), triedAgain],
  ['the end after an interim response', answersAndCloses('HTTP/1.1 103 Early Hints\r\n\r\n'), triedAgain],
  ['the end after the answer', answersAndCloses(ok), whole],
  [
    'an answer with connection: close',
    answersAndCloses(ok.replace('content', 'connection: close\r\ncontent')),
    whole,
  ],
  ['half an answer of HTTP/1.0', answersAndCloses('HTTP/1.0 200 OK\r\ncontent-le'), triedAgain],
  [
    'an answer before the request was sent',
    async (peer) => {
      peer.send(ok);
      await behave(peer);
    },
    whole,
  ],
  ['garbage before the request was sent', (peer) => peer.send('\0\0\0'), givenUp('bad_response')],
  ['a second answer in one piece with the first', answers(ok + ok.replace('ok', 'no')), whole],
  ['half a second answer', answers(`${ok}HTTP/1.1 200 OK\r\n`), whole],
];

const relay = sharedRelay(['--attempts=2', '--attempt-timeout=20s', '--max-body=10mb'], { random: () => 0 });

for (const [name, behaviour, expected] of rows) {
  test(`${name}: ${expected.attempts === 2 ? 'tried again' : (expected.error ?? expected.status)}`, async (t) => {
    await expectOutcome(t, await relay, behaviour, expected);
  });
}

test('nobody listens: tried again, and then connect_failed', async (t) => {
  const { url, close } = await startRawDestination({ teardown: () => undefined }, []);
  await close();
  const { json } = await (await relay).submit(url);
  const job = await (await relay).finished(json.id);
  t.deepEqual(outcomeOf(job), { ...givenUp('connect_failed'), attempts: 2 });
});

test('an idle connection that is closed while the next request leaves: tried again with the same key', async (t) => {
  // The destination closes without warning when the second request has arrived.
  const closing: Behaviour = async (peer) => {
    await peer.request();
    peer.send(ok);
    await peer.request();
    peer.reset();
  };
  const destination = await startRawDestination(t, [closing]);
  const first = await (await relay).submit(destination.url, '{"job":1}');
  t.like(outcomeOf(await (await relay).finished(first.json.id)), { body: 'ok', attempts: 1 });
  const second = await (await relay).submit(destination.url, '{"job":2}');
  t.deepEqual(outcomeOf(await (await relay).finished(second.json.id)), triedAgain);
  t.deepEqual(
    destination.requests.map(({ body, connection }) => [body, connection]),
    [
      ['{"job":1}', 0],
      ['{"job":2}', 0],
      ['{"job":2}', 1],
    ],
  );
  t.is(new Set(destination.requests.map(({ idempotencyKey }) => idempotencyKey)).size, 2);
});

test('an idle connection that was closed costs the next job nothing', async (t) => {
  const destination = await startRawDestination(t, [answersAndCloses(ok)]);
  for (const [data, body] of [
    ['{"job":1}', 'ok'],
    ['{"job":2}', 'fine!'],
  ] as const) {
    const { json } = await (await relay).submit(destination.url, data);
    t.like(outcomeOf(await (await relay).finished(json.id)), { body, attempts: 1 });
    await eventually(() => destination.open() === (body === 'ok' ? 0 : 1));
  }
});

for (const later of ['HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil', '\r\n', '\0']) {
  test(`what comes over an idle connection (${JSON.stringify(later.slice(0, 8))}) is no job’s answer`, async (t) => {
    const destination = await startRawDestination(t, [
      async (peer) => {
        await peer.request();
        peer.send(ok);
        await delay(30);
        peer.send(later);
        await behave(peer);
      },
    ]);
    const first = await (await relay).submit(destination.url, '{"job":1}');
    await (await relay).finished(first.json.id);
    // The relay closes the connection by itself, long before it has been idle for too long.
    await eventually(() => destination.accepted() === 1 && destination.open() === 0, 2000);
    const second = await (await relay).submit(destination.url, '{"job":2}');
    t.deepEqual(outcomeOf(await (await relay).finished(second.json.id)), {
      status: '200 OK',
      body: 'fine!',
      attempts: 1,
    });
    t.is(destination.accepted(), 2);
  });
}

test('413 before a long body was sent is the answer, and its connection is not used again', async (t) => {
  const tooLarge: Behaviour = async (peer) => {
    await peer.head();
    peer.send('HTTP/1.1 413 Content Too Large\r\ncontent-length: 2\r\n\r\nno');
    // The rest of the request is never read.
    peer.socket.pause();
  };
  const destination = await startRawDestination(t, [tooLarge]);
  const big = await (await relay).submit(destination.url, JSON.stringify({ big: 'x'.repeat(8 << 20) }));
  const small = await (await relay).submit(destination.url, '{"small":true}');
  const [first, second] = await Promise.all(
    [big, small].map(async ({ json }) => (await relay).finished(json.id)),
  );
  t.deepEqual(
    [first, second].map((job) => job && outcomeOf(job)),
    [
      { status: '413 Payload Too Large', body: 'no', attempts: 1 },
      { status: '200 OK', body: 'fine!', attempts: 1 },
    ],
  );
  t.is(destination.accepted(), 2);
});
