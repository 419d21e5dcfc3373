import test from 'ava';
import { answers, answersAndCloses } from '../helpers/answers.js';
import { expectOutcome, givenUp, type Outcome, sharedRelay, triedAgain } from '../helpers/misbehaviour.js';
import type { Behaviour } from '../helpers/raw_destination.js';

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const gotIt: Outcome = { status: '200 OK', body: 'ok' };
const continued = 'HTTP/1.1 100 Continue\r\n\r\n';
const notHttp = givenUp('bad_response');

const rows: readonly (readonly [name: string, behaviour: Behaviour, expected: Outcome])[] = [
  // Interim responses.
  [
    '500 times 103 before the answer',
    answers('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(500) + ok),
    gotIt,
  ],
  ['500 times 102 before the answer', answers('HTTP/1.1 102 Processing\r\n\r\n'.repeat(500), ok), gotIt],
  ['100 Continue that nobody asked for', answers(continued, ok), gotIt],
  ['100 Continue in one piece with the answer', answers(continued + ok), gotIt],
  ['100 Continue with headers', answers('HTTP/1.1 100 Go on\r\nserver: x\r\nx-a: b\r\n\r\n', ok), gotIt],
  [
    'many 100 Continue among 103',
    answers(`${continued}HTTP/1.1 103 Early Hints\r\n\r\n`.repeat(200) + ok),
    gotIt,
  ],
  ['100 Continue, a byte at a time', answers(...Array.from(continued), ok), gotIt],
  ['100 Continue and no answer', answersAndCloses(continued), triedAgain],
  ['half a 100 Continue', answersAndCloses(continued.slice(0, 15)), triedAgain],
  [
    '100 Continue with bare line feeds and an answer without a body',
    answers('HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'),
    notHttp,
  ],
  ['100 Continue with bare line feeds', answers('HTTP/1.1 100 Continue\n\n' + ok), notHttp],
  [
    '100 Continue with a head as long as a body',
    answers(`HTTP/1.1 100 Continue\r\nx: ${'y'.repeat(17_000)}\r\n\r\n${ok}`),
    notHttp,
  ],
  [
    '101 that nobody asked for',
    answers('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    notHttp,
  ],
  ['101 and then the answer', answers('HTTP/1.1 101 Switching Protocols\r\n\r\n' + ok), notHttp],

  // Statuses.
  ['status 000', answers('HTTP/1.1 000 Nothing\r\ncontent-length: 2\r\n\r\nok'), notHttp],
  ['status 099', answers('HTTP/1.1 099 Nearly\r\ncontent-length: 0\r\n\r\n'), notHttp],
  ['status 199', answers('HTTP/1.1 199 Interim\r\n\r\n', ok), gotIt],
  [
    'status 600, which no standard knows',
    answers('HTTP/1.1 600 Beyond\r\ncontent-length: 2\r\n\r\nok'),
    { status: '600', body: 'ok' },
  ],
  [
    'status 999, which is in use',
    answers('HTTP/1.1 999 Request Denied\r\ncontent-length: 2\r\n\r\nok'),
    { status: '999', body: 'ok' },
  ],
  ['status 1000', answers('HTTP/1.1 1000 OK\r\ncontent-length: 0\r\n\r\n'), notHttp],
  ['status 20', answers('HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n'), notHttp],
  ['no reason after the status', answers('HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nok'), gotIt],
  [
    'a reason that lies',
    answers('HTTP/1.1 404 OK\r\ncontent-length: 2\r\n\r\nok'),
    { status: '404 Not Found', body: 'ok' },
  ],

  // Heads.
  [
    'a header of 17 KiB',
    answers(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(17 * 1024)}\r\ncontent-length: 0\r\n\r\n`),
    notHttp,
  ],
  [
    '6,000 headers',
    answers(`HTTP/1.1 200 OK\r\n${'x: yz\r\n'.repeat(6000)}content-length: 0\r\n\r\n`),
    notHttp,
  ],
  ['NUL in a header', answers('HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 0\r\n\r\n'), notHttp],
  ['bare line feeds', answers('HTTP/1.1 200 OK\ncontent-length: 2\n\nok'), notHttp],
  ['a folded header', answers('HTTP/1.1 200 OK\r\nx: a\r\n b\r\ncontent-length: 2\r\n\r\nok'), notHttp],
  ['a header without a colon', answers('HTTP/1.1 200 OK\r\nnonsense\r\n\r\n'), notHttp],
  ['white space before a colon', answers('HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\nok'), notHttp],
  [
    'a length and chunks',
    answers('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'),
    notHttp,
  ],
  ['two lengths', answers('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok!'), notHttp],
  ['a negative length', answers('HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n'), notHttp],
  [
    'a length beyond all numbers',
    answers(`HTTP/1.1 200 OK\r\ncontent-length: ${'9'.repeat(40)}\r\n\r\n`),
    notHttp,
  ],

  // What is not HTTP/1.
  ['another protocol', answers('SSH-2.0-OpenSSH_9.6\r\n'), notHttp],
  ['garbage', answers('\x15\x03\x01\x00\x02\x02\x50'), notHttp],
  ['HTTP/0.9', answersAndCloses('<html>hello</html>'), notHttp],
  ['HTTP/2 without being asked', answers('\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80'), notHttp],
  ['HTTP/3.0 in the status line', answers('HTTP/3.0 200 OK\r\ncontent-length: 0\r\n\r\n'), notHttp],
  ['a request instead of an answer', answers('POST / HTTP/1.1\r\nhost: x\r\n\r\n'), notHttp],
  ['HTTP/1.0', answersAndCloses('HTTP/1.0 200 OK\r\n\r\nok'), gotIt],
  ['empty lines before the answer', answers('\r\n\r\n' + ok), gotIt],
];

const relay = sharedRelay(['--attempts=2', '--attempt-timeout=20s'], { random: () => 0 });

for (const [name, behaviour, expected] of rows) {
  test(`${name}: ${expected.attempts === 2 ? 'tried again' : (expected.error ?? expected.status)}`, async (t) => {
    await expectOutcome(t, await relay, behaviour, expected);
  });
}
