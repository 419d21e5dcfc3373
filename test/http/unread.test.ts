import type { Socket } from 'node:net';
import test from 'ava';
import { eventually } from '../helpers/eventually.js';
import { open, post, talk } from '../helpers/raw.js';
import { type RelayUnderTest, startRelay } from '../helpers/relay.js';
import { type Cleanup, startDestination } from '../helpers/scripted_destination.js';

/** A relay that keeps an answer of a megabyte. */
async function withLargeAnswer(
  t: Cleanup,
  flags: readonly string[],
): Promise<{ relay: RelayUnderTest; poll: string }> {
  const relay = await startRelay(t, flags);
  const destination = await startDestination(t, (_arrival, response) => response.end('x'.repeat(1_000_000)));
  const { json } = await relay.submit(destination.url);
  await relay.finished(json.id);
  return { relay, poll: post('/export', JSON.stringify({ id: json.id })) };
}

/** Polls far more than the kernel buffers for a connection, and reads nothing. */
async function pollWithoutReading(t: Cleanup, relay: RelayUnderTest, poll: string): Promise<Socket> {
  const socket = await open(t, relay);
  socket.pause();
  socket.write(poll.repeat(60));
  return socket;
}

/** A client that does not read learns of the end of its connection when it writes. */
async function cutOff(socket: Socket): Promise<void> {
  await eventually(() => {
    socket.write('\r\n');
    return socket.destroyed;
  });
}

test('answers that nobody reads are bounded: who has kept them waiting longest is cut off', async (t) => {
  const { relay, poll } = await withLargeAnswer(t, ['--max-memory=4mb']);
  const socket = await pollWithoutReading(t, relay, poll);
  await cutOff(socket);
  t.regex(await talk(t, relay, poll.replace('Host', 'Connection: close\r\nHost')), /"state":"Finished"/);
});

test('a client that reads gets all its pipelined answers, and many one after another', async (t) => {
  const { relay, poll } = await withLargeAnswer(t, ['--max-memory=4mb']);
  const last = poll.replace('Host', 'Connection: close\r\nHost');
  t.is((await talk(t, relay, poll.repeat(2) + last)).match(/"state":"Finished"/g)?.length, 3);
  for (let again = 0; again < 10; again += 1) t.regex(await talk(t, relay, last), /"state":"Finished"/);
});

test('an answer that nobody reads is given up when the request timeout has passed', async (t) => {
  const { relay, poll } = await withLargeAnswer(t, ['--request-timeout=300ms']);
  const socket = await pollWithoutReading(t, relay, poll);
  await cutOff(socket);
  t.pass();
});

test('a long poll may be held longer than the request timeout', async (t) => {
  const relay = await startRelay(t, ['--request-timeout=300ms']);
  const destination = await startDestination(t, () => undefined);
  const { json } = await relay.submit(destination.url);
  await destination.arrived(1);
  const { status, json: job } = await relay.post('/lp/export?timeout=1.5&until=Finished', { id: json.id });
  t.is(status, 200);
  t.is(job.state, 'Processing');
});
