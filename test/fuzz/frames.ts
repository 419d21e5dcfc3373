import { parseFrame } from '#relay/ws/frame.js';
import { mint } from '../helpers/relay.js';
import { frameOf } from '../helpers/raw_socket.js';
import type { Cleanup } from '../helpers/scripted_destination.js';
import { answerTo, checkOf, startPatientRelay } from './hostile_client.js';
import { corpusLines, must, type Run, type Target } from './target.js';

const maxRefLength = 255;
/** Of a frame whose payload is shorter than 126 bytes, and masked. */
const shortestHeaderBytes = 6;

/** Text of a frame is understood, or it is said what is wrong with it. */
function judgeText(text: string): void {
  const { ref = '', asked } = parseFrame(text);
  must(ref.length <= maxRefLength, 'a ref beyond its bound');
  if (!asked.ok) {
    must(/^(malformed_json|invalid_request)$/.test(asked.failure.code), 'refused for another reason');
    return;
  }
  const { request, dryRun, idempotencyKey = '' } = asked.value;
  must(!dryRun || request.action === 'submit', 'a dry run of what is no submission');
  must(idempotencyKey.length <= 255, 'a key beyond its bound');
}

/** Up to the first frame. */
function handshake(macaroon: string): Buffer {
  const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
  const own = ['Host: relay', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', `X-Api-Key: ${macaroon}`];
  const offers = ['Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits'];
  return Buffer.from(['GET /ws/export HTTP/1.1', ...upgrade, ...own, ...offers, '', ''].join('\r\n'));
}

async function open(t: Cleanup): Promise<Run> {
  const relay = await startPatientRelay(t);
  const check = checkOf(relay);
  const start = handshake(mint());
  return async (input) => {
    judgeText(input.toString());
    judgeText(input.toString('utf8', shortestHeaderBytes));
    const answer = await answerTo(relay.port, Buffer.concat([start, input]));
    must(answer.startsWith('HTTP/1.1 101 '), 'the handshake was refused');
    must(!answer.includes('"code":"internal"'), 'a frame met a bug');
    await check();
  };
}

/** How frames begin: kind, length and mask. */
const heads = [
  ...['\x81\x80\0\0\0\0', '\x01\x80\0\0\0\0', '\x80\x80\0\0\0\0', '\x88\x80\0\0\0\0', '\x89\x80\0\0\0\0'],
  ...[
    '\x82\xfe\xff\xff',
    '\x81\xff\0\0\0\0\x7f\xff\xff\xff',
    '\xc1',
    '\xf1',
    '\x8f',
    '\x88\x82\0\0\0\0\x03\xe8',
  ],
];

/** What a client sends on a WebSocket: bytes to a whole relay, and their text to what reads a frame. */
export const frames: Target = {
  name: 'frames',
  // Each frame is answered, however small it is: more of them take their time, which is no hang.
  maxBytes: 20_000,
  dictionary: [
    ...heads.map((head) => Buffer.from(head, 'latin1')),
    ...[
      '"id":""',
      '"ref":',
      '"dry_run":true',
      '"idempotency_key":"k"',
      '"traceparent":',
      '"action":"cancel"',
      '"data":',
    ],
    ...['{}', '[]', 'null', '"\\ud800"', '\u2028', '{"id":"', '"__proto__":'],
  ],
  corpus: () => [
    ...corpusLines('frames/requests.txt').map((line) => frameOf(1, Buffer.from(line))),
    ...corpusLines('frames/requests.txt').map((line) => Buffer.from(line)),
    ...corpusLines('frames/bytes.txt').map((line) => Buffer.from(line.replace(/ *#.*/, ''), 'hex')),
  ],
  open,
};
