import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import { Pace } from '#relay/http/pace.js';
import { eventually } from '../helpers/eventually.js';
import { mint, startRelay } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('work that comes at once begins a few pieces a turn, in its order', async (t) => {
  const pace = new Pace(() => true);
  const begun: number[] = [];
  for (let piece = 0; piece < 10; piece += 1) {
    pace.begin({ run: () => void begun.push(piece), isMoot: () => false });
  }
  const perTurn = [begun.length];
  for (let turns = 0; turns < 3; turns += 1) {
    await turn();
    perTurn.push(begun.length);
  }
  t.deepEqual(perTurn, [4, 8, 10, 10]);
  t.deepEqual(begun, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('work that holds up nothing begins at once, and so does what waited for it', async (t) => {
  let isNeeded = false;
  const pace = new Pace(() => isNeeded);
  let begun = 0;
  const piece = { run: () => void (begun += 1), isMoot: () => false };
  const beginMany = (): void => {
    for (let count = 0; count < 10; count += 1) pace.begin(piece);
  };
  beginMany();
  t.is(begun, 10);
  isNeeded = true;
  beginMany();
  t.is(begun, 14);
  isNeeded = false;
  // Behind those who wait, though.
  beginMany();
  t.is(begun, 14);
  await turn();
  t.is(begun, 30);
});

test('work whose asker has gone meanwhile is passed over, and takes nobody’s turn', async (t) => {
  const pace = new Pace(() => true);
  const begun: number[] = [];
  for (let piece = 0; piece < 9; piece += 1) {
    pace.begin({ run: () => void begun.push(piece), isMoot: () => piece >= 4 && piece < 8 });
  }
  await turn();
  t.deepEqual(begun, [0, 1, 2, 3, 8]);
});

test('many thousand pieces all begin, as do those that come while others wait', async (t) => {
  const pace = new Pace(() => true);
  let begun = 0;
  const piece = { run: () => void (begun += 1), isMoot: () => false };
  for (let count = 0; count < 5000; count += 1) pace.begin(piece);
  await turn();
  pace.begin(piece);
  t.is(begun, 8);
  await eventually(() => begun === 5001);
  pace.begin(piece);
  await eventually(() => begun === 5002);
});

test('clients that leave right after their requests do not keep others from theirs', async (t) => {
  const relay = await startRelay(t);
  const destination = await startDestination(t);
  const body = JSON.stringify({ id: '', uri: destination.url, data: '{}' });
  const head = `POST /export HTTP/1.1\r\nHost: relay\r\nX-Api-Key: ${mint()}\r\nContent-Length: ${body.length}\r\n\r\n`;
  const gone = Array.from({ length: 50 }, async () => {
    const socket = connect(relay.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(head + body, () => socket.resetAndDestroy());
    await once(socket, 'close');
  });
  await Promise.all(gone);
  const { json } = await relay.submit(destination.url, '{"last":true}');
  t.is((await relay.finished(json.id)).ext_response.status, '200 OK');
});
