import test from 'ava';
import { parseConfig } from '#relay/config/parse.js';
import { createLogger } from '#relay/log/logger.js';
import { startService } from '#relay/service.js';
import {
  abuseCases,
  alone,
  answersIn,
  jobsOf,
  nothingIsLeft,
  servesWell,
  startWorld,
} from '../helpers/abuse.js';
import { eventually } from '../helpers/eventually.js';
import { open, post, readAll, talk } from '../helpers/raw.js';
import { mint, mintWith } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';

test('however long a request may take, the relay starts, and it refuses no time at all', async (t) => {
  for (const duration of ['2s', '30s', '1h']) {
    const world = await startWorld(t, [`--request-timeout=${duration}`]);
    await servesWell(t, world);
  }
  const refused = parseConfig({ argv: ['--dev', '--request-timeout=0'], env: {} });
  t.regex(refused.ok ? '' : refused.mistakes.join(), /--request-timeout/);
});

test('whatever ?timeout= says, a poll is answered at once or held, and never asked for again and again', async (t) => {
  const world = await startWorld(t);
  const { relay } = world;
  const silent = await startDestination(t, () => undefined);
  const { json } = await relay.submit(silent.url, '{}', alone);
  await silent.arrived(1);
  const polls = abuseCases().flatMap(({ polls: found = [] }) => found);
  const clients = await Promise.all(
    polls.map(async ({ query, holds }) => {
      const socket = await open(t, relay);
      const client = { query, holds, socket, received: '' };
      socket.setEncoding('latin1').on('data', (chunk: string) => (client.received += chunk));
      socket.write(post(`/lp/export${query}`, JSON.stringify({ id: json.id })));
      return client;
    }),
  );
  const held = polls.filter(({ holds }) => holds).length;
  await eventually(
    () =>
      relay.service.stats().waiters === held &&
      clients.every(({ holds, received }) => holds || answersIn(received).length === 1),
  );
  // A timer that cannot be set so far fires after a millisecond.
  await new Promise((resolve) => setTimeout(resolve, 100));
  for (const { query, holds, received, socket } of clients) {
    t.is(answersIn(received).length, holds ? 0 : 1, query);
    socket.destroy();
  }
  await nothingIsLeft(t, world);
});

test('clients that leave while their polls are held free their places, and the job goes on', async (t) => {
  const world = await startWorld(t);
  const { relay } = world;
  let answer: () => void = () => undefined;
  const silent = await startDestination(t, (_arrival, response) => (answer = () => response.end('late')));
  const { json } = await relay.submit(silent.url, '{}', alone);
  await silent.arrived(1);
  const poll = post('/lp/export?until=Finished&timeout=50', JSON.stringify({ id: json.id }));
  const sockets = await Promise.all(Array.from({ length: 200 }, () => open(t, relay)));
  // Every fourth has two polls on its connection.
  for (const [number, socket] of sockets.entries()) socket.write(poll.repeat(number % 4 === 0 ? 2 : 1));
  await eventually(() => relay.service.stats().waiters === 250);
  for (const [number, socket] of sockets.entries()) {
    if (number % 2 === 0) socket.resetAndDestroy();
    else socket.destroy();
  }
  await nothingIsLeft(t, world);
  t.is((await relay.post('/export', { id: json.id }, alone)).json.state, 'Processing');
  answer();
  t.is((await relay.finished(json.id, alone)).ext_response.body, 'late');
});

test('connections up to the bound harm nobody, and those beyond it are closed', async (t) => {
  const world = await startWorld(t, ['--max-connections=300']);
  const { relay } = world;
  const request = post('/export', '{}', 'Connection: close');
  // Of a connection that is not accepted one may hear by its end or by a reset.
  const isServed = async (): Promise<boolean> => (await talk(t, relay, request).catch(() => '')) !== '';
  const sockets = await Promise.all(Array.from({ length: 299 }, () => open(t, relay)));
  await servesWell(t, world);
  // The relay learns of a connection that has gone a little later: the last one may come too early.
  await eventually(async () => {
    sockets.push(await open(t, relay));
    return !(await isServed());
  });
  const beyond = await Promise.all(Array.from({ length: 50 }, isServed));
  t.false(beyond.includes(true));
  t.is(sockets.filter(({ closed }) => !closed).length, 300);
  for (const socket of sockets) socket.destroy();
  await eventually(isServed);
  await servesWell(t, world);
});

test('somebody else’s job and one that is not there get the same answer, byte for byte', async (t) => {
  const { relay, destination } = await startWorld(t);
  const theirs = { macaroon: mintWith({ identifier: 'their app' }), ...alone };
  const { json } = await relay.submit(destination.url, '{}', theirs);
  await relay.finished(json.id, theirs);
  const jobs = jobsOf(relay);
  const mine = mintWith({ identifier: 'my app' });
  const elsewhere = mintWith({ identifier: 'their app', caveats: ['destination = https://x.example/*'] });
  const answered = async (path: string, id: string, key: string, more = ''): Promise<string> => {
    const text = post(path, `{"id":"${id}"${more}}`, 'Connection: close').replace(mint(), key);
    const answer = await talk(t, relay, text);
    return answer.replace(/^date: .*$/im, 'date').replace(/"request_id":"[0-9a-f-]{36}"/, '"request_id"');
  };
  const nobodys = '00000000-0000-4000-8000-000000000000';
  const expected = await answered('/export', nobodys, mine);
  t.regex(expected, /^HTTP\/1\.1 404 /);
  for (const path of ['/export', '/lp/export', '/lp/export?timeout=50&until=Finished']) {
    for (const key of [mine, elsewhere, mint()]) {
      t.is(await answered(path, json.id, key), expected);
      t.is(await answered(path, json.id, key, ',"action":"cancel"'), expected);
    }
  }
  t.is(jobsOf(relay), jobs);
  t.is((await relay.post('/export', { id: json.id }, theirs)).json.state, 'Finished');
});

test('a thousand bad macaroons are refused, and the arbiter hears of none', async (t) => {
  const parsed = parseConfig({
    argv: ['--host=127.0.0.1', '--port=0', '--admin=off', '--arbiter=http://127.0.0.1:9'],
    env: {},
  });
  if (!parsed.ok) throw new Error(parsed.mistakes.join());
  let [asked, logged] = [0, 0];
  const logger = createLogger('info', { write: () => void (logged += 1) });
  const fetchSecret = () => {
    asked += 1;
    return Promise.resolve({ reason: 'secret' as const, secret: 'from the arbiter' });
  };
  const service = await startService(parsed.config, { logger, fetchSecret });
  t.teardown(() => service.stop(0));
  const relay = { port: Number(new URL(service.url).port) };
  const bad = post('/export', '{"id":""}');
  const last = post('/export', '{"id":""}', 'Connection: close');
  const before = logged;
  const answers = await Promise.all(Array.from({ length: 4 }, () => talk(t, relay, bad.repeat(249) + last)));
  for (const answer of answers) t.is(answer.match(/HTTP\/1\.1 401 .*/g)?.length, 250);
  t.is(asked, 1);
  t.is(logged - before, 1000, 'one line each');
});

test('what a destination answers reaches the app inside a JSON string, and as nothing else', async (t) => {
  const { relay } = await startWorld(t);
  const hostile =
    '<script>alert(1)</script>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"},"state":"Pending\u2028\u0000\u001b[31m';
  const destination = await startDestination(t, (_arrival, response) => {
    const headers = {
      'content-type': 'text/html',
      'set-cookie': 'a=b',
      'location': '/<evil>',
      'etag': '"9"',
    };
    response.writeHead(200, headers);
    response.end(hostile);
  });
  const { json } = await relay.submit(destination.url, '{}', alone);
  await relay.finished(json.id, alone);
  const socket = await open(t, relay);
  socket.write(post('/export', JSON.stringify({ id: json.id }), 'Connection: close'));
  const [answer, ...others] = answersIn(await readAll(socket));
  t.deepEqual(others, []);
  t.regex(answer?.head ?? '', /^content-type: application\/json; charset=utf-8\r$/im);
  t.regex(answer?.head ?? '', /^x-content-type-options: nosniff\r$/im);
  t.notRegex(answer?.head ?? '', /evil|set-cookie|location|text\/html/i);
  const job = JSON.parse(Buffer.from(answer?.body ?? '', 'latin1').toString()) as typeof json;
  t.like(job, { state: 'Finished', ext_response: { status: '200 OK', body: hostile } });
  t.is(job.ext_response.headers?.['set-cookie'], undefined);
});
