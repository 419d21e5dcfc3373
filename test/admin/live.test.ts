import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { LiveUpdates } from '#relay/admin/live.js';
import { FakeClock } from '../helpers/fake_clock.js';
import { eventually } from '../helpers/eventually.js';
import type { Cleanup } from '../helpers/scripted_destination.js';

interface Listening {
  readonly live: LiveUpdates;
  readonly clock: FakeClock;
  /** Opens one more listener; what it has been sent so far. */
  readonly open: () => Promise<() => string>;
  current: string;
}

async function startLive(t: Cleanup): Promise<Listening> {
  const clock = new FakeClock();
  const listening = { clock, current: '{"revision":1}' };
  const live = new LiveUpdates({ clock, current: () => listening.current });
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    live.add(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    live.close();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const open = async (): Promise<() => string> => {
    let text = '';
    const sent = httpRequest({ port, host: '127.0.0.1', agent: false });
    sent.end();
    const [response] = (await once(sent, 'response')) as [NodeJS.ReadableStream];
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => (text += chunk));
    response.on('error', () => undefined);
    await eventually(() => text.includes('data:'));
    return () => text;
  };
  return Object.assign(listening, { live, open });
}

function updatesIn(text: string): readonly string[] {
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => data);
}

test('a listener gets the present at once and changes afterwards, however many, four times a second', async (t) => {
  const listening = await startLive(t);
  const text = await listening.open();
  t.deepEqual(updatesIn(text()), ['{"revision":1}']);
  for (let revision = 2; revision <= 1000; revision += 1) {
    listening.current = `{"revision":${revision}}`;
    listening.live.changed();
  }
  await listening.clock.advance(249);
  t.is(updatesIn(text()).length, 1);
  await listening.clock.advance(1);
  await eventually(() => updatesIn(text()).length === 2);
  t.is(updatesIn(text())[1], '{"revision":1000}');
});

test('figures that change by themselves are noticed, and silence is filled with comments', async (t) => {
  const listening = await startLive(t);
  const text = await listening.open();
  listening.current = '{"polls":1}';
  await listening.clock.advance(2000);
  await eventually(() => updatesIn(text()).length === 2);
  await listening.clock.advance(2000);
  await eventually(() => text().endsWith(':\n\n'));
  t.is(updatesIn(text()).length, 2);
});

test('while nobody listens, no timer runs', async (t) => {
  const listening = await startLive(t);
  listening.live.changed();
  t.is(listening.clock.armed, 0);
  await listening.open();
  t.true(listening.clock.armed > 0);
  listening.live.close();
  t.is(listening.clock.armed, 0);
});

test('there is a bound on listeners', async (t) => {
  const listening = await startLive(t);
  while (!listening.live.full) await listening.open();
  t.pass();
});

test('a listener that reads nothing is cut off, and the others are not', async (t) => {
  const { live, clock, ...listening } = await startLive(t);
  const text = await listening.open();
  const closed = { slow: false };
  const slow = {
    writableLength: 1 << 20,
    write: () => t.is(closed.slow, false),
    destroy: () => (closed.slow = true),
    end: () => undefined,
    once: () => undefined,
  };
  live.add(slow as unknown as Parameters<LiveUpdates['add']>[0]);
  await clock.advance(4000);
  t.true(closed.slow);
  await eventually(() => text().endsWith(':\n\n'));
});
