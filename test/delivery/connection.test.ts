import test, { type ExecutionContext } from 'ava';
import { answersAndCloses } from '../helpers/answers.js';
import { eventually } from '../helpers/eventually.js';
import {
  type Behaviour,
  behave,
  type Peer,
  type RawDestination,
  startRawDestination,
} from '../helpers/raw_destination.js';
import { brief, type SenderUnderTest, startSender } from '../helpers/sender.js';

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

interface Crowd {
  readonly destination: RawDestination;
  readonly sender: SenderUnderTest;
  /** The destination's ends of the connections, in the order in which they became idle. */
  readonly peers: readonly Peer[];
}

/** A sender with as many idle connections to one destination. */
async function crowd(t: ExecutionContext, size: number, maxIdleConnections = 8): Promise<Crowd> {
  const peers: Peer[] = [];
  const waits: Behaviour = async (peer) => {
    await peer.request();
    peers.push(peer);
  };
  const destination = await startRawDestination(t, new Array<Behaviour>(size).fill(waits));
  const sender = startSender(t, { maxIdleConnections });
  const outcomes: ReturnType<SenderUnderTest['send']>[] = [];
  for (let index = 0; index < size; index += 1) {
    outcomes.push(sender.send(destination.url));
    await eventually(() => peers.length > index);
  }
  for (const [index, peer] of peers.entries()) {
    peer.send(ok);
    t.is(brief((await outcomes[index]) ?? t.fail()), '200 ok');
    void behave(peer);
  }
  return { destination, sender, peers };
}

/** Over which connections as many further deliveries go at once. */
async function nextConnections(
  { destination, sender }: Crowd,
  deliveries: number,
): Promise<readonly number[]> {
  const before = destination.requests.length;
  await Promise.all(Array.from({ length: deliveries }, () => sender.send(destination.url)));
  return destination.requests
    .slice(before)
    .map(({ connection }) => connection)
    .sort((a, b) => a - b);
}

test('the connection that was used last is used next, and the others as they are needed', async (t) => {
  const idle = await crowd(t, 3);
  t.deepEqual(await nextConnections(idle, 1), [2]);
  t.deepEqual(await nextConnections(idle, 1), [2]);
  t.deepEqual(await nextConnections(idle, 2), [1, 2]);
  t.deepEqual(await nextConnections(idle, 4), [0, 1, 2, 3]);
  t.is(idle.sender.connections(), 4);
});

for (const gone of [0, 1, 2]) {
  test(`of three idle connections, the two that are left when number ${gone} closes are used again`, async (t) => {
    const idle = await crowd(t, 3);
    idle.peers[gone]?.end();
    await eventually(() => idle.sender.connections() === 2);
    const left = [0, 1, 2].filter((connection) => connection !== gone);
    t.deepEqual(await nextConnections(idle, 2), left);
    t.deepEqual(await nextConnections(idle, 3), [...left, 3]);
  });
}

test('of more idle connections than may stay, the one that has been idle longest goes', async (t) => {
  const idle = await crowd(t, 3, 2);
  t.is(idle.sender.connections(), 2);
  await eventually(() => idle.destination.open() === 2);
  t.deepEqual(await nextConnections(idle, 3), [1, 2, 3]);
});

test('one idle connection may stay, if one may', async (t) => {
  const idle = await crowd(t, 2, 1);
  t.is(idle.sender.connections(), 1);
  t.deepEqual(await nextConnections(idle, 1), [1]);
});

test('a connection that cannot be made again has no address, though it had one', async (t) => {
  const { destination, sender } = await crowd(t, 1);
  // The delivery begins before the relay can know that its connection has been closed.
  const closed = destination.close();
  const outcome = await sender.send(destination.url);
  await closed;
  t.is(brief(outcome), 'connect_failed');
  t.false('address' in outcome);
});

test('an answer is followed at once by the next request, though its connection has just been closed', async (t) => {
  const rounds = 20;
  const destination = await startRawDestination(t, new Array<Behaviour>(rounds).fill(answersAndCloses(ok)));
  const sender = startSender(t);
  for (let round = 0; round < rounds; round += 1) t.is(brief(await sender.send(destination.url)), '200 ok');
  t.is(destination.accepted(), rounds);
});
