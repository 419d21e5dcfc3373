import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test from 'ava';
import {
  alone,
  answersIn,
  jobsOf,
  nothingIsLeft,
  servesWell,
  startWorld,
  type World,
} from '../helpers/abuse.js';
import { laterTeardown } from '../helpers/misbehaviour.js';
import { post } from '../helpers/raw.js';
import { startDestination } from '../helpers/scripted_destination.js';

const cleanup = laterTeardown();
const world = startWorld(cleanup);
/** A job that stays as it is, to be polled. */
const held = holdJob();

async function holdJob(): Promise<string> {
  const destination = await startDestination(cleanup, () => undefined);
  const { json } = await (await world).relay.submit(destination.url, '{}', alone);
  await destination.arrived(1);
  return json.id;
}

/** As short as a request can be, for there is a connection for each of its bytes. */
function short(text: string): string {
  return text.replace('X-Api-Key: ', 'X-Api-Key:').replace('Host: relay', 'Host:r');
}

/** How a connection ends after some of the bytes. */
const ends = {
  FIN: (socket: Socket) => void socket.end(),
  RST: (socket: Socket) => void socket.resetAndDestroy(),
};

const atOnce = 100;

/** What each connection got that ended after so many bytes of a text, from the first number to the length. */
async function cutAtEveryByte(
  { relay }: World,
  texts: (cut: number) => string,
  [first, length]: readonly [first: number, length: number],
  end: (socket: Socket) => void,
): Promise<readonly string[]> {
  const received: string[] = [];
  const cut = async (at: number): Promise<void> => {
    const socket = connect({ port: relay.port, host: '127.0.0.1', allowHalfOpen: true });
    let answer = '';
    socket.on('error', () => undefined).setEncoding('latin1');
    socket.on('data', (chunk: string) => (answer += chunk)).on('end', () => socket.end());
    await once(socket, 'connect');
    const text = texts(at).slice(0, at);
    socket.write(text, () => {
      // Every other time the relay has read the bytes before the end comes.
      if (at % 2 === 0) end(socket);
      else setImmediate(() => setImmediate(() => end(socket)));
    });
    if (!socket.closed) await once(socket, 'close');
    received[at] = answer;
  };
  for (let from = first; from <= length; from += atOnce) {
    await Promise.all(
      Array.from({ length: Math.min(atOnce, length + 1 - from) }, (_, next) => cut(from + next)),
    );
  }
  return received;
}

/** Says in its data which connection it came over. */
function submission(uri: string, cut: number, place: number): string {
  return short(post('/export', `{"id":"","uri":"${uri}","data":[${1e7 + cut * 10 + place}]}`));
}

/** The connections that brought a job, with the place of the job on them. */
function arrivals({ destination }: World, from: number): readonly { cut: number; place: number }[] {
  return destination.arrivals.slice(from).map(({ body }) => {
    const [number = NaN] = JSON.parse(body.toString()) as number[];
    return { cut: Math.floor((number - 1e7) / 10), place: number % 10 };
  });
}

for (const [name, end] of Object.entries(ends)) {
  for (const pipelined of [1, 2]) {
    const what = pipelined === 1 ? 'a submission' : 'two pipelined submissions';
    test.serial(
      `${what}, cut by ${name} after every byte: a job only where one had arrived whole`,
      async (t) => {
        const running = await world;
        const { relay, destination } = running;
        await held;
        const one = submission(destination.url, 0, 0).length;
        const length = one * pipelined;
        const [jobs, arrivedBefore] = [jobsOf(relay), destination.arrivals.length];
        const texts = (cut: number): string =>
          Array.from({ length: pipelined }, (_, place) => submission(destination.url, cut, place)).join('');
        const received = await cutAtEveryByte(running, texts, [length - one, length], end);
        // Nothing may come late.
        await nothingIsLeft(t, running);
        await servesWell(t, running);
        const created = jobsOf(relay) - jobs;
        await destination.arrived(arrivedBefore + created);
        const arrived = arrivals(running, arrivedBefore);
        for (const { cut, place } of arrived)
          t.true(cut >= one * (place + 1), `job ${place} of ${cut} bytes`);
        t.is(new Set(arrived.map((job) => JSON.stringify(job))).size, created);
        if (name === 'RST') return;
        t.deepEqual(
          answersIn(received[one] ?? '').map(({ status }) => status),
          [200],
          'half-open',
        );
        const last = answersIn(received[length] ?? '').map(({ status }) => status);
        t.deepEqual(
          last,
          Array.from({ length: pipelined }, () => 200),
        );
      },
    );
  }

  for (const path of ['/export', '/lp/export?timeout=50&until=Finished']) {
    test.serial(`a poll of ${path}, cut by ${name} after every byte, leaves nothing behind`, async (t) => {
      const running = await world;
      const jobs = jobsOf(running.relay);
      const text = short(post(path, JSON.stringify({ id: await held })));
      const received = await cutAtEveryByte(running, () => text, [0, text.length], end);
      await nothingIsLeft(t, running);
      await servesWell(t, running);
      t.is(jobsOf(running.relay), jobs);
      const whole = answersIn(received[text.length] ?? '');
      if (name === 'FIN')
        t.deepEqual(
          whole.map(({ status }) => status),
          [200],
          'half-open',
        );
      for (const answer of received.slice(0, -1)) t.notRegex(answer, /^HTTP\/1\.1 (200|5)/);
    });
  }
}
