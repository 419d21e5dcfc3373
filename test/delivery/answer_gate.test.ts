import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Socket, connect, createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { errors } from 'undici';
import { AnswerGate, UnusableAnswer } from '#relay/delivery/answer_gate.js';
import { listenOnLoopback } from '../helpers/loopback.js';

const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const continued = 'HTTP/1.1 100 Continue\r\n\r\n';
const hints = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n';
/** Of an interim response. */
const maxHeadBytes = 16 * 1024;

interface GatedSocket {
  readonly socket: Socket;
  readonly gate: AnswerGate;
  /** What of these bytes the parser gets, as they arrive. */
  readonly arrive: (bytes: string | Buffer) => string;
}

/** A gate in front of a parser that only takes down what it gets. */
function gated(socket = new Socket(), maxWireBytes = 100_000): GatedSocket {
  let parsed = '';
  socket.push = (chunk: Buffer) => {
    parsed += chunk.toString('latin1');
    return true;
  };
  socket.on('error', () => undefined);
  const gate = new AnswerGate(socket, maxWireBytes);
  const arrive = (bytes: string | Buffer): string => {
    parsed = '';
    socket.push(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    return parsed;
  };
  return { socket, gate, arrive };
}

/** An interim response without its end, as long as that. */
function unendedHead(bytes: number): string {
  return 'HTTP/1.1 100 Continue\r\nx: '.padEnd(bytes, 'y');
}

const passed: readonly (readonly [name: string, arrives: readonly string[], parsed: readonly string[]])[] = [
  ['an answer goes through as it comes', [answer.slice(0, 9), answer.slice(9)], ['', answer]],
  ['the status of an answer is enough to know it', ['HTTP/1.1 2', '00 OK'], ['HTTP/1.1 2', '00 OK']],
  ['100 is left out', [continued + answer], [answer]],
  ['100 of an older version is left out', [`HTTP/1.0 100 Go\r\n\r\n${answer}`], [answer]],
  ['100 without a reason is left out', [`HTTP/1.1 100\r\n\r\n${answer}`], [answer]],
  ['100 without a reason, with a header, is left out', [`HTTP/1.1 100\r\na: b\r\n\r\n${answer}`], [answer]],
  ['103 goes through as it comes', [hints + answer], [hints + answer]],
  [
    '103 and what is behind it keep their order',
    [hints + continued + hints + answer],
    [hints + hints + answer],
  ],
  ['a 103 that is whole does not wait for the next', [hints + continued.slice(0, 12)], [hints]],
  [
    '103 with a header of other bytes',
    ['HTTP/1.1 103 X\r\na: \xff\r\n\r\n'],
    ['HTTP/1.1 103 X\r\na: \xff\r\n\r\n'],
  ],
  ['100 behind an answer is part of the body', [answer, continued], [answer, continued]],
  ['1000 is no status', ['HTTP/1.1 1000 X\r\n\r\n'], ['HTTP/1.1 1000 X\r\n\r\n']],
  ['a carriage return ends no line', ['HTTP/1.1 100\rX\r\n\r\n'], ['HTTP/1.1 100\rX\r\n\r\n']],
  [
    'a status further down is none',
    ['HTTP/1.1 1\r\nHTTP/1.1 100 X\r\n\r\n'],
    ['HTTP/1.1 1\r\nHTTP/1.1 100 X\r\n\r\n'],
  ],
  ['a line feed ends no line', ['HTTP/1.1 100 X\n'], ['HTTP/1.1 100 X\n']],
  ['what is no HTTP at all', ['\n'], ['\n']],
  ['a version that is none', ['HTTP/1.x 100 X\r\n\r\n'], ['HTTP/1.x 100 X\r\n\r\n']],
  ['a head without its end is waited for', [unendedHead(maxHeadBytes - 1)], ['']],
  [
    'a head without its end is waited for no longer than the parser would',
    [unendedHead(maxHeadBytes - 1), 'y'],
    ['', unendedHead(maxHeadBytes)],
  ],
  ['a head of just that length', [`${unendedHead(maxHeadBytes - 4)}\r\n\r\n${answer}`], [answer]],
];

for (const [name, arrives, parsed] of passed) {
  test(`before the parser: ${name}`, (t) => {
    const { arrive, socket } = gated();
    t.deepEqual(arrives.map(arrive), parsed);
    t.is(socket.errored, null);
  });
}

test('however they are cut, interim responses and an answer arrive without the 100s', (t) => {
  const response = fc.constantFrom(
    continued,
    'HTTP/1.1 100 Go\r\nserver: x\r\n\r\n',
    hints,
    'HTTP/1.0 199\r\n\r\n',
  );
  t.notThrows(() => {
    fc.assert(
      fc.property(fc.array(response), fc.array(fc.nat({ max: 300 })), (responses, cuts) => {
        const bytes = responses.join('') + answer + continued;
        const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        const { arrive } = gated();
        const parsed = at.slice(1).map((end, index) => arrive(bytes.slice(at[index], end)));
        const kept = responses.filter((text) => !text.includes(' 100 '));
        assert.equal(parsed.join(''), kept.join('') + answer + continued);
      }),
    );
  });
});

test('101 ends the connection, for that reason', (t) => {
  const { arrive, socket } = gated();
  t.is(arrive('HTTP/1.1 101 Switching Protocols\r\n\r\nwhatever'), '');
  t.true(socket.destroyed);
  t.like(socket.errored, { reason: 'switches_protocols' });
});

test('the end of the stream goes through', (t) => {
  const socket = new Socket();
  const pushed: unknown[] = [];
  socket.push = (chunk: unknown) => pushed.push(chunk) > 0;
  t.truthy(new AnswerGate(socket, 1));
  t.true(socket.push(null));
  t.deepEqual(pushed, [null]);
});

/** The two ends of a connection; the gate is at the first. */
async function gatedConnection(t: ExecutionContext, maxWireBytes: number): Promise<GatedSocket> {
  const server = await listenOnLoopback(createServer((socket) => socket.resume()));
  t.teardown(() => server.close());
  const socket = connect(server.port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return gated(socket, maxWireBytes);
}

test('each answer of a connection has the same room, and not a byte more', async (t) => {
  const { arrive, gate, socket } = await gatedConnection(t, continued.length + answer.length);
  for (let round = 0; round < 3; round += 1) {
    socket.write('a request');
    t.deepEqual([continued, answer.slice(0, 9), answer.slice(9)].map(arrive), ['', '', answer]);
    t.is(socket.errored, null);
    gate.rest();
  }
  socket.write('a request');
  t.deepEqual([continued, `${answer}x`].map(arrive), ['', '']);
  t.true(socket.errored instanceof UnusableAnswer);
  t.like(socket.errored, { reason: 'endless' });
});

test('what follows an answer fills the same room', (t) => {
  const { arrive, socket } = gated(new Socket(), answer.length + 1);
  t.is(arrive(answer), answer);
  t.is(arrive('x'), 'x');
  t.is(arrive('x'), '');
  t.like(socket.errored, { reason: 'endless' });
});

test('bytes that come while no request is out end the connection, and the parser gets none of them', async (t) => {
  const { arrive, gate, socket } = await gatedConnection(t, 1000);
  socket.write('a request');
  t.is(arrive(answer), answer);
  gate.rest();
  t.is(arrive(answer), '');
  // undici takes any other error as one of the next request.
  t.true(socket.errored instanceof errors.InformationalError);
});
