import { gzipSync } from 'node:zlib';
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { answers, answersAndCloses } from '../helpers/answers.js';
import { eventually } from '../helpers/eventually.js';
import { type Behaviour, startRawDestination } from '../helpers/raw_destination.js';
import { stubResolver } from '../helpers/resolver.js';
import { brief, startSender } from '../helpers/sender.js';

const kb = 1024;
/** For the 64 KiB of a body that the sender under test keeps. */
const maxWireBytes = 8 * 64 * kb + 256 * kb;

test('a delivery is a POST to the path of the destination, with the data byte for byte', async (t) => {
  const destination = await startRawDestination(t, []);
  const sender = startSender(t);
  const data = '{ "a": 1.0, "a": "ü" }';
  const outcome = await sender.send(`${destination.url}?b=%20c`, { data });
  t.like(outcome, { kind: 'answered', address: '127.0.0.1' });
  t.is(destination.requests.length, 1);
  t.is(destination.requests[0]?.head.split('\r\n', 1)[0], 'POST /in?b=%20c HTTP/1.1');
  t.is(destination.requests[0]?.body, data);
});

test('of the headers of an answer three are kept, and of a repeated one the first', async (t) => {
  const head =
    'content-type: text/plain\r\ncontent-type: text/html\r\nlocation: /a\r\nlocation: /b\r\nretry-after: 7\r\nserver: x';
  const destination = await startRawDestination(t, [
    answers(`HTTP/1.1 200 OK\r\n${head}\r\ncontent-length: 2\r\n\r\nok`),
  ]);
  const sender = startSender(t);
  t.like(await sender.send(destination.url), {
    answer: { headers: { 'content-type': 'text/plain', 'location': '/a', 'retry-after': '7' } },
  });
  const bare = await sender.send(destination.url);
  t.deepEqual(bare.kind === 'answered' ? bare.answer.headers : bare, {});
});

test('an attempt that connects to nothing has no address', async (t) => {
  const sender = startSender(t, { lookup: stubResolver({ code: 'ENOTFOUND' }).lookup });
  const outcome = await sender.send('http://nowhere.test/');
  t.is(outcome.kind, 'failed');
  t.false('address' in outcome);
});

/** An answer of that many bytes, most of them in interim responses before it. */
function answerOf(bytes: number): string {
  const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
  const interim = (length: number): string => `${'HTTP/1.1 103 X\r\nx: '.padEnd(length - 4, 'y')}\r\n\r\n`;
  const rest = bytes - answer.length;
  const whole = Math.floor(rest / (8 * kb)) - 1;
  return interim(8 * kb).repeat(whole) + interim(rest - whole * 8 * kb) + answer;
}

test('an answer may be as long on the wire as there is room for it, and not a byte longer', async (t) => {
  const destination = await startRawDestination(t, [
    answersAndCloses(answerOf(maxWireBytes)),
    answersAndCloses(answerOf(maxWireBytes + 1)),
  ]);
  const sender = startSender(t);
  t.is(brief(await sender.send(destination.url)), '200 ok');
  t.like(await sender.send(destination.url), { error: { code: 'bad_response', internal: 'endless' } });
});

/** Compressed four times over, which takes a few turns of the event loop to undo. */
const coded = gzipSync(gzipSync(gzipSync(gzipSync('whole')))).toString('latin1');
const coding = 'content-encoding: gzip,gzip,gzip,gzip';

for (const [name, answer] of [
  ['a length', `${coding}\r\ncontent-length: ${coded.length}\r\n\r\n${coded}`],
  [
    'chunks',
    `${coding}\r\ntransfer-encoding: chunked\r\n\r\n${coded.length.toString(16)}\r\n${coded}\r\n0\r\n\r\n`,
  ],
] as const) {
  test(`an answer that ended by ${name} is whole, though its connection breaks behind it`, async (t) => {
    // One of these turns of the event loop is the one in which the answer has been read and not been undone.
    const turns = [1, 2, 3, 4];
    const destination = await startRawDestination(
      t,
      turns.map((count): Behaviour => async (peer) => {
        await peer.request();
        peer.send(`HTTP/1.1 200 OK\r\n${answer}`);
        for (let turn = 0; turn < count; turn += 1) await setImmediate();
        peer.reset();
      }),
    );
    const sender = startSender(t);
    for (const count of turns) {
      t.is(brief(await sender.send(destination.url)), '200 whole', `${count} turns`);
      // Else the next request could be on its way when the connection breaks.
      await eventually(() => sender.connections() === 0);
    }
  });
}
