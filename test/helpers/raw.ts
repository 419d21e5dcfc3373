import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { type RelayUnderTest, mint } from './relay.js';
import type { Cleanup } from './scripted_destination.js';

/** A connection to the relay on which anything can be sent. */
export async function open(t: Cleanup, relay: Pick<RelayUnderTest, 'port'>): Promise<Socket> {
  const socket = connect(relay.port, '127.0.0.1');
  socket.on('error', () => undefined);
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Everything the relay sends until it closes the connection. */
export async function readAll(socket: Socket): Promise<string> {
  let answer = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk));
  await once(socket, 'close');
  return answer;
}

/** What the relay answers to a text until it closes the connection. */
export async function talk(t: Cleanup, relay: Pick<RelayUnderTest, 'port'>, text: string): Promise<string> {
  const socket = await open(t, relay);
  socket.write(text);
  return readAll(socket);
}

/** The head of a request to `POST /export` with a good macaroon. */
export function head(...lines: readonly string[]): string {
  return ['POST /export HTTP/1.1', 'Host: relay', `X-Api-Key: ${mint()}`, ...lines, '', ''].join('\r\n');
}

/** A whole request with a good macaroon. */
export function post(path: string, body: string, ...lines: readonly string[]): string {
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  return head(length, ...lines).replace('/export', path) + body;
}
