import { createServer } from 'node:net';
import test from 'ava';
import { Cancellation } from '#relay/delivery/cancellation.js';
import { answers, answersAndCloses } from '../helpers/answers.js';
import { eventually } from '../helpers/eventually.js';
import { listenOnLoopback } from '../helpers/loopback.js';
import { type Behaviour, startRawDestination } from '../helpers/raw_destination.js';
import { stubResolver } from '../helpers/resolver.js';
import { brief, startSender } from '../helpers/sender.js';

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

test('one delivery after another shares a connection', async (t) => {
  const destination = await startRawDestination(t, []);
  const sender = startSender(t);
  for (let round = 0; round < 5; round += 1) t.is(brief(await sender.send(destination.url)), '200 fine!');
  t.is(destination.accepted(), 1);
  t.is(sender.connections(), 1);
});

test('deliveries at once have a connection each, and no more of them stay open than allowed', async (t) => {
  const destination = await startRawDestination(t, []);
  const sender = startSender(t, { maxIdleConnections: 3 });
  await Promise.all(Array.from({ length: 10 }, () => sender.send(destination.url)));
  t.is(destination.accepted(), 10);
  t.is(sender.connections(), 3);
  await eventually(() => destination.open() === 3);
});

test('with no idle connection allowed, none stays', async (t) => {
  const destination = await startRawDestination(t, []);
  const sender = startSender(t, { maxIdleConnections: 0 });
  t.is(brief(await sender.send(destination.url)), '200 fine!');
  t.is(sender.connections(), 0);
  await eventually(() => destination.open() === 0);
});

test('however many destinations there are, they leave nothing behind but the idle connections allowed', async (t) => {
  const destination = await startRawDestination(t, []);
  const sender = startSender(t, { lookup: stubResolver(['127.0.0.1']).lookup });
  const batch = 50;
  for (let first = 0; first < 2000; first += batch) {
    const outcomes = await Promise.all(
      Array.from({ length: batch }, (_none, index) =>
        sender.send(`http://n${first + index}.test:${destination.port}/`),
      ),
    );
    t.true(outcomes.every((outcome) => brief(outcome) === '200 fine!'));
    t.true(sender.connections() <= 8);
  }
  t.is(sender.connections(), 8);
});

test('destinations that cannot be reached leave nothing behind', async (t) => {
  const sender = startSender(t, { lookup: stubResolver({ code: 'ENOTFOUND' }).lookup });
  const outcomes = await Promise.all(
    Array.from({ length: 500 }, (_none, index) => sender.send(`http://n${index}.test/`)),
  );
  t.true(outcomes.every((outcome) => brief(outcome) === 'dns_failed'));
  t.is(sender.connections(), 0);
});

test('a connection that the destination closes while it is idle is forgotten', async (t) => {
  const destination = await startRawDestination(t, [answersAndCloses(ok)]);
  const sender = startSender(t);
  t.is(brief(await sender.send(destination.url)), '200 ok');
  await eventually(() => sender.connections() === 0);
  t.is(brief(await sender.send(destination.url)), '200 fine!');
});

test('a destination may shorten how long an idle connection stays, and not prolong it for ever', async (t) => {
  const short: Behaviour = answers('HTTP/1.1 200 OK\r\nkeep-alive: timeout=1\r\ncontent-length: 2\r\n\r\nok');
  const destination = await startRawDestination(t, [short]);
  const sender = startSender(t);
  t.is(brief(await sender.send(destination.url)), '200 ok');
  await eventually(() => sender.connections() === 0);
});

const silent: Behaviour = (peer) => peer.request();
const phases: readonly (readonly [phase: string, behaviour: Behaviour])[] = [
  ['before the answer', silent],
  ['within the head', answers('HTTP/1.1 200 OK\r\n')],
];

for (const [phase, behaviour] of phases) {
  test(`a delivery that is cancelled ${phase} ends at once, and its connection with it`, async (t) => {
    const destination = await startRawDestination(t, [behaviour]);
    const sender = startSender(t);
    const cancellation = new Cancellation();
    const outcome = sender.send(destination.url, { cancellation });
    await eventually(() => destination.accepted() === 1);
    cancellation.cancel();
    t.is(brief(await outcome), 'cancelled');
    t.is(sender.connections(), 0);
    await eventually(() => destination.open() === 0);
  });
}

test('a delivery that is cancelled within the body keeps what came, and its connection ends', async (t) => {
  const destination = await startRawDestination(t, [
    answers('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok'),
  ]);
  const sender = startSender(t);
  const cancellation = new Cancellation();
  const outcome = sender.send(destination.url, { cancellation });
  await eventually(() => destination.requests.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  cancellation.cancel();
  t.is(brief(await outcome), '200 ok…');
  t.is(sender.connections(), 0);
  await eventually(() => destination.open() === 0);
});

test('a delivery that is cancelled while its name is looked up connects to nothing', async (t) => {
  const { lookup, asked } = stubResolver('never answers');
  const sender = startSender(t, { lookup });
  const cancellation = new Cancellation();
  const outcome = sender.send('http://slow.test/', { cancellation });
  await eventually(() => asked.length === 1);
  cancellation.cancel();
  t.is(brief(await outcome), 'cancelled');
  t.is(sender.connections(), 0);
});

test('a delivery that is cancelled in the TLS handshake closes its socket', async (t) => {
  const hanging = await listenOnLoopback(createServer((socket) => socket.resume()));
  t.teardown(() => hanging.close());
  const sender = startSender(t);
  const cancellation = new Cancellation();
  const outcome = sender.send(`https://127.0.0.1:${hanging.port}/`, { cancellation });
  await eventually(() => hanging.accepted() === 1);
  cancellation.cancel();
  t.is(brief(await outcome), 'cancelled');
  await eventually(() => hanging.open() === 0);
});

test('a delivery that was cancelled before it began sends nothing', async (t) => {
  const destination = await startRawDestination(t, []);
  const sender = startSender(t);
  const cancellation = new Cancellation();
  cancellation.cancel();
  t.is(brief(await sender.send(destination.url, { cancellation })), 'cancelled');
  t.is(sender.connections(), 0);
  t.deepEqual(destination.requests, []);
});

test('closing the sender ends what is in flight and what is idle', async (t) => {
  const destination = await startRawDestination(t, [answers(ok), silent]);
  const sender = startSender(t);
  const both = [sender.send(destination.url), sender.send(destination.url)];
  t.is(brief(await Promise.race(both)), '200 ok');
  await eventually(() => destination.accepted() === 2);
  await sender.close();
  t.deepEqual((await Promise.all(both)).map(brief).sort(), ['200 ok', 'cancelled']);
  t.is(sender.connections(), 0);
  await eventually(() => destination.open() === 0);
});
