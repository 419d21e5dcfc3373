import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { type RelayUnderTest, mint } from './relay.js';
import type { Cleanup } from './scripted_destination.js';

/** A client frame, masked with zeros. */
export function frameOf(opcode: number, payload: Buffer, { final = true } = {}): Buffer {
  const length = Buffer.alloc(payload.length < 126 ? 1 : 3);
  if (payload.length < 126) length[0] = 0x80 | payload.length;
  else {
    length[0] = 0x80 | 126;
    length.writeUInt16BE(payload.length, 1);
  }
  return Buffer.concat([Buffer.from([(final ? 0x80 : 0) | opcode]), length, Buffer.alloc(4), payload]);
}

/** A text frame of JSON. */
export function jsonFrame(value: unknown): Buffer {
  return frameOf(1, Buffer.from(JSON.stringify(value)));
}

/** A connection upgraded by hand: it answers no ping and closes nothing by itself. */
export async function openRaw(t: Cleanup, relay: RelayUnderTest): Promise<Socket> {
  const socket = connect(relay.port, '127.0.0.1');
  socket.on('error', () => undefined);
  t.teardown(() => socket.destroy());
  socket.write(
    [
      'GET /ws/export HTTP/1.1',
      'Host: relay',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      `X-Api-Key: ${mint()}`,
      '',
      '',
    ].join('\r\n'),
  );
  const [head] = (await once(socket, 'data')) as [Buffer];
  if (!head.toString('latin1').startsWith('HTTP/1.1 101')) throw new Error(head.toString('latin1'));
  return socket;
}

/** All that arrives until the connection closes. */
export async function rest(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'close');
  return Buffer.concat(chunks);
}

/** The code of the close frame that ends what a server sent; its reason is longer than none and shorter than 126. */
export function closeCodeIn(bytes: Buffer): number | undefined {
  for (let at = bytes.length - 4; at >= 0 && at > bytes.length - 130; at -= 1) {
    if (bytes[at] === 0x88 && at + 2 + (bytes[at + 1] ?? 0) === bytes.length)
      return bytes.readUInt16BE(at + 2);
  }
  return undefined;
}
