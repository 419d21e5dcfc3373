import { brotliCompressSync, gzipSync } from 'node:zlib';
import test from 'ava';
import { answers, answersAndCloses, answersAndResets } from '../helpers/answers.js';
import { expectOutcome, type Outcome, sharedRelay } from '../helpers/misbehaviour.js';
import type { Behaviour } from '../helpers/raw_destination.js';

const kb = 1024;
const cap = 64 * kb;

function chunked(body: string): string {
  return `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${body}`;
}

function head(...headers: readonly string[]): string {
  return ['HTTP/1.1 200 OK', ...headers, '', ''].join('\r\n');
}

function encoded(coding: string, bytes: Buffer): string {
  return head(`content-encoding: ${coding}`, `content-length: ${bytes.length}`) + bytes.toString('latin1');
}

/** Sends a head, and then the same bytes until the relay has had enough. */
function endless(start: string, bytes: string): Behaviour {
  return async (peer) => {
    await peer.request();
    peer.send(start);
    peer.sendForEver(bytes.repeat(Math.ceil((8 * kb) / bytes.length)));
  };
}

const whole: Outcome = { status: '200 OK', body: 'ok' };
const cutAtTheCap: Outcome = { status: '200 OK', body: 'a'.repeat(cap), truncated: true };
/** The destination answered; what came of the body is kept, and marked. */
function brokenOff(body: string): Outcome {
  return { status: '200 OK', body, truncated: true };
}
function empty(status: string): Outcome {
  return { status, body: '' };
}

const bomb = Buffer.alloc(50 * kb * kb, 'a');

const rows: readonly (readonly [name: string, behaviour: Behaviour, expected: Outcome])[] = [
  // Statuses that have no body, whatever the head says.
  [
    '204 with a length and a body',
    answers('HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\nok'),
    empty('204 No Content'),
  ],
  [
    '204 with a length and no body',
    answers('HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\n'),
    empty('204 No Content'),
  ],
  [
    '204 in chunks',
    answers('HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'),
    empty('204 No Content'),
  ],
  ['204', answers('HTTP/1.1 204 No Content\r\n\r\n'), empty('204 No Content')],
  [
    '304 with a length',
    answers('HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n'),
    empty('304 Not Modified'),
  ],
  [
    '205 with a body',
    answers('HTTP/1.1 205 Reset Content\r\ncontent-length: 2\r\n\r\nok'),
    { status: '205 Reset Content', body: 'ok' },
  ],

  // Lengths that lie.
  ['more body than the length', answers(head('content-length: 2') + 'ok and more'), whole],
  ['less body than the length', answersAndCloses(head('content-length: 9') + 'ok'), brokenOff('ok')],
  [
    'less body than the length, then RST',
    answersAndResets(head('content-length: 9') + 'ok'),
    brokenOff('ok'),
  ],
  ['a length and nothing', answersAndCloses(head('content-length: 9')), brokenOff('')],
  ['a body that ends with the connection', answersAndCloses(head() + 'ok'), whole],
  [
    'a body that should end with the connection and ends with RST',
    answersAndResets(head() + 'ok'),
    brokenOff('ok'),
  ],
  ['HTTP/1.0 that ends with RST', answersAndResets('HTTP/1.0 200 OK\r\n\r\nok'), brokenOff('ok')],
  [
    'connection: close, and RST within the length',
    answersAndResets(head('connection: close', 'content-length: 9') + 'ok'),
    brokenOff('ok'),
  ],

  // Chunks.
  [
    'chunks with extensions and trailers',
    answers(chunked('1;a=b\r\no\r\n1;c\r\nk\r\n0\r\nx-t: y\r\n\r\n')),
    whole,
  ],
  ['a chunk size that is no number', answers(chunked('2\r\nok\r\nzz\r\n')), brokenOff('ok')],
  ['a chunk size beyond all numbers', answers(chunked(`2\r\nok\r\n${'f'.repeat(20)}\r\n`)), brokenOff('ok')],
  ['a negative chunk size', answers(chunked('2\r\nok\r\n-1\r\n')), brokenOff('ok')],
  ['a chunk longer than it says', answers(chunked('2\r\nok!!\r\n0\r\n\r\n')), brokenOff('ok')],
  ['chunks without an end', answersAndCloses(chunked('2\r\nok\r\n')), brokenOff('ok')],
  [
    'trailers of 17 KiB',
    answers(chunked(`2\r\nok\r\n0\r\nx: ${'y'.repeat(17 * kb)}\r\n\r\n`)),
    brokenOff('ok'),
  ],
  [
    'a body in chunks of one byte',
    answers(chunked(`${'1\r\na\r\n'.repeat(60 * kb)}0\r\n\r\n`)),
    { status: '200 OK', body: 'a'.repeat(60 * kb) },
  ],

  // What has no end.
  ['an endless body', endless(head(), 'a'), cutAtTheCap],
  ['endless chunks', endless(chunked(''), '1\r\na\r\n'), cutAtTheCap],
  ['an endless chunk extension', endless(chunked('2\r\nok\r\n1;'), 'x'), brokenOff('ok')],
  ['endless trailers', endless(chunked('2\r\nok\r\n0\r\n'), 'x: y\r\n'), brokenOff('ok')],
  [
    'endless interim responses',
    endless('', 'HTTP/1.1 102 Processing\r\n\r\n'),
    { status: '502 Bad Gateway', body: '', error: 'bad_response' },
  ],
  [
    'endless 100 Continue',
    endless('', 'HTTP/1.1 100 Continue\r\n\r\n'),
    { status: '502 Bad Gateway', body: '', error: 'bad_response' },
  ],
  [
    'an endless head',
    endless('HTTP/1.1 200 OK\r\nx: ', 'y'),
    { status: '502 Bad Gateway', body: '', error: 'bad_response' },
  ],
  [
    'a gigabyte announced, and more than the cap of it sent',
    endless(head('content-length: 1073741824'), 'a'),
    cutAtTheCap,
  ],

  // Compression.
  ['a gzip bomb of 50 MiB', answers(encoded('gzip', gzipSync(bomb))), cutAtTheCap],
  ['a brotli bomb of 50 MiB', answers(encoded('br', brotliCompressSync(bomb))), cutAtTheCap],
  ['gzip that is none', answers(encoded('gzip', Buffer.from('ok'))), whole],
  ['gzip within gzip', answers(encoded('gzip, gzip', gzipSync(gzipSync('ok')))), whole],
  ['four codings, one upon another', answers(encoded('gzip,gzip,gzip,gzip', Buffer.from('ok'))), whole],
];

const relay = sharedRelay(['--attempts=2', '--attempt-timeout=20s', `--max-response=${cap}`], {
  random: () => 0,
});

for (const [name, behaviour, expected] of rows) {
  test(`${name}: ${expected.error ?? expected.status}`, async (t) => {
    await expectOutcome(t, await relay, behaviour, expected);
  });
}
