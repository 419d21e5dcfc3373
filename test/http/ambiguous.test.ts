import test from 'ava';
import { head, talk } from '../helpers/raw.js';
import { startRelay } from '../helpers/relay.js';

const many = Array.from({ length: 101 }, (_, number) => `X-${number}: 1`);
const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
const socket = [...upgrade, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];

for (const [why, text, status] of [
  ['two hosts', head('Host: other', 'Content-Length: 0'), 400],
  ['another major version', head('Content-Length: 0').replace('HTTP/1.1', 'HTTP/2.0'), 400],
  ['no version', 'POST /export\r\n\r\n', 400],
  ['a second macaroon behind a hundred headers', head('Content-Length: 0', ...many, 'X-Api-Key: other'), 431],
  [
    'an upgrade with two hosts',
    head(...socket, 'Host: other').replace('POST /export', 'GET /ws/export'),
    400,
  ],
  [
    'an upgrade with a macaroon behind a hundred headers',
    head(...socket, ...many, 'X-Api-Key: other').replace('POST /export', 'GET /ws/export'),
    431,
  ],
  ['a tunnel that is asked for', head('Content-Length: 0').replace('POST', 'CONNECT'), 405],
] as const) {
  test(`${why}: ${status}, and the connection is closed`, async (t) => {
    const relay = await startRelay(t);
    const answer = await talk(t, relay, text);
    t.true(answer.startsWith(`HTTP/1.1 ${status} `), answer);
    t.regex(answer, /^connection: (upgrade, )?close\r$/im);
    t.is(relay.logged('request').length, 1);
  });
}
