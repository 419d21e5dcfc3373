import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import test from 'ava';
import { UnreadAnswers } from '#relay/http/unread.js';
import type { Cleanup } from '../helpers/scripted_destination.js';

/** The relay's ends of connections. */
async function accepted(t: Cleanup, count: number): Promise<readonly Socket[]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets: Socket[] = [];
  for (let number = 0; number < count; number += 1) {
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [socket] = (await once(server, 'connection')) as [Socket];
    t.teardown(() => client.destroy());
    sockets.push(socket.on('error', () => undefined));
  }
  t.teardown(() => {
    sockets.forEach((socket) => socket.destroy());
    server.close();
  });
  return sockets;
}

test('there is room at once as long as nobody is being cut off', async (t) => {
  const unread = new UnreadAnswers(100);
  const [one, other] = await accepted(t, 2);
  if (one === undefined || other === undefined) throw new Error('no connection');
  t.is(unread.room(), undefined);
  const taken = unread.note(one, 60);
  unread.note(other, 40);
  t.is(unread.room(), undefined, 'full, and nobody is being cut off');
  taken();
  t.is(unread.bytes, 40);
});

test('what was cut off counts until its connection has closed, and answers are made one after another', async (t) => {
  const unread = new UnreadAnswers(100);
  const sockets = await accepted(t, 40);
  let peak = 0;
  let answered = 0;
  await Promise.all(
    sockets.map(async (socket) => {
      const room = unread.room();
      if (room !== undefined) await room;
      unread.note(socket, 60);
      answered += 1;
      peak = Math.max(peak, unread.bytes);
    }),
  );
  t.is(answered, 40);
  // The one that is noted, and the one that is cut off for it.
  t.is(peak, 120);
  t.is(sockets.filter(({ destroyed }) => destroyed).length, 39);
});
