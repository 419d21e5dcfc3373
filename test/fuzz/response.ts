import { type Socket, createServer } from 'node:net';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { AttemptErrorCode, AttemptOutcome } from '#relay/delivery/outcome.js';
import { listenOnLoopback } from '../helpers/loopback.js';
import { Peer } from '../helpers/raw_destination.js';
import type { Cleanup } from '../helpers/scripted_destination.js';
import { startSender } from '../helpers/sender.js';
import { corpusFiles, must, type Run, type Target } from './target.js';

/** Of the sender under test. */
const maxResponseBytes = 64 * 1024;
const documented: readonly AttemptErrorCode[] = [
  'connection_reset',
  'timeout',
  'bad_response',
  'connect_failed',
];
const kept = ['content-type', 'location', 'retry-after'];
/** More may still be on its way when the next request leaves. */
const maxBytesAtOnce = 16 * 1024;
/** For what was sent to arrive: only what comes before the next request leaves is known not to be its answer. */
const arrivalMs = 2;

/** How a destination sends its bytes, as the first byte of an input says. */
interface Manner {
  readonly then: 'close' | 'reset' | 'wait';
  readonly pieces: number;
}

function mannerOf(byte: number): Manner {
  const then = (['close', 'reset', 'wait', 'close'] as const)[byte & 3] ?? 'close';
  return { then, pieces: 1 + ((byte >> 2) & 3) };
}

/** Answers one request with an input, every other with `fine!`. */
class HostileDestination {
  #next: { readonly manner: Manner; readonly bytes: Buffer; readonly sent: () => void } | undefined;

  /** Resolves once the input has been sent. */
  answerWith(manner: Manner, bytes: Buffer): Promise<void> {
    return new Promise((sent) => (this.#next = { manner, bytes, sent }));
  }

  readonly serve = (socket: Socket): void => {
    socket.setNoDelay();
    void this.#answerAll(new Peer(socket, 0, () => undefined));
  };

  async #answerAll(peer: Peer): Promise<void> {
    for (;;) {
      await peer.request();
      const next = this.#next;
      this.#next = undefined;
      if (next === undefined) peer.send('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfine!');
      else {
        await misbehave(peer, next.manner, next.bytes);
        next.sent();
      }
    }
  }
}

async function misbehave(peer: Peer, { then, pieces }: Manner, bytes: Buffer): Promise<void> {
  const size = Math.ceil(bytes.length / pieces);
  for (let at = 0; at < bytes.length; at += size) {
    if (at > 0) await turn();
    peer.send(bytes.subarray(at, at + size));
  }
  if (then === 'close') peer.end();
  if (then === 'reset') peer.reset();
}

function judge(outcome: AttemptOutcome): void {
  if (outcome.kind === 'failed') {
    must(documented.includes(outcome.error.code), `the outcome is ${outcome.error.code}`);
    return;
  }
  const { statusCode, headers, body, encoding } = outcome.answer;
  must(Number.isInteger(statusCode) && statusCode >= 200 && statusCode <= 999, 'a status that is none');
  must(Buffer.from(body, encoding).length <= maxResponseBytes, 'a body beyond the bound');
  must(
    Object.keys(headers).every((name) => kept.includes(name)),
    'a header is kept that nobody needs',
  );
  must(!/[\r\n\0]/.test(Object.values(headers).join('')), 'a header of several lines');
}

async function open(t: Cleanup): Promise<Run> {
  const destination = new HostileDestination();
  const server = await listenOnLoopback(createServer(destination.serve));
  t.teardown(() => server.close());
  const sender = startSender(t);
  const url = `http://127.0.0.1:${server.port}/in`;
  return async (input) => {
    const [first = 0] = input;
    const [manner, bytes] = [mannerOf(first), input.subarray(1)];
    const sent = destination.answerWith(manner, bytes);
    judge(await sender.send(url, { timeoutMs: manner.then === 'wait' ? 30 : 900 }));
    if (bytes.length > maxBytesAtOnce) return;
    if (manner.pieces > 1) {
      await sent;
      await delay(arrivalMs);
    }
    const next = await sender.send(url, { timeoutMs: 900 });
    // The end of a connection may be on its way while it is used again; a retry then has another.
    const isLate = next.kind === 'failed' && next.error.code === 'connection_reset' && manner.then !== 'wait';
    const isFine = next.kind === 'answered' && next.answer.body === 'fine!';
    must(isFine || isLate, 'what an earlier answer left is the next answer');
    must(sender.connections() <= 2, 'connections are left open');
  };
}

function withGzip(body: Buffer): Buffer {
  const head = `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

/** What a destination may send instead of an answer, to the delivery's own code over a real connection. */
export const response: Target = {
  name: 'response',
  maxBytes: 400_000,
  dictionary: [
    ...[
      '\r\n',
      '\n',
      '\r',
      '\r\n\r\n',
      '\0',
      ' ',
      '\t',
      ':',
      '0\r\n\r\n',
      'HTTP/1.1 ',
      'HTTP/1.0 ',
      'HTTP/2 ',
    ],
    ...[
      '100 Continue\r\n\r\n',
      '101 Switching Protocols\r\n',
      '103 Early Hints\r\n',
      '204 No Content\r\n',
      '304\r\n',
    ],
    ...[
      '999 \r\n',
      '099 \r\n',
      'content-length: ',
      'content-length: 18446744073709551616\r\n',
      'content-length: -1\r\n',
    ],
    ...[
      'transfer-encoding: chunked\r\n',
      'transfer-encoding: gzip, chunked\r\n',
      'ffffffffffffffff\r\n',
      ';x=1',
    ],
    ...[
      'content-encoding: gzip\r\n',
      'content-encoding: br, gzip, deflate, zstd\r\n',
      'connection: close\r\n',
    ],
    ...[
      'connection: keep-alive\r\n',
      'keep-alive: timeout=0\r\n',
      'retry-after: 1e9\r\n',
      'trailer: x\r\n',
      Buffer.from([0x80, 0xff]),
    ],
  ],
  corpus: () => {
    const zipped = withGzip(gzipSync(Buffer.alloc(1 << 20, 'a')));
    const answers = [...corpusFiles('response', '.http'), zipped];
    return [0, 1, 2, 4].flatMap((manner) =>
      answers.map((bytes) => Buffer.concat([Buffer.from([manner]), bytes])),
    );
  },
  open,
};
