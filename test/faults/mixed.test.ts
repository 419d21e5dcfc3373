import { randomInt } from 'node:crypto';
import { env } from 'node:process';
import test from 'ava';
import { eventually } from '../helpers/eventually.js';
import { type Outcome, outcomeOf } from '../helpers/misbehaviour.js';
import { type Behaviour, type Peer, startRawDestination } from '../helpers/raw_destination.js';
import { startRelay } from '../helpers/relay.js';

const jobs = 1000;
const lanes = 25;
const attempts = 4;

/** One thing a destination may do with a request, and what a job whose last attempt met it ends with. */
interface Turn {
  readonly name: string;
  /** How often, among all. */
  readonly weight: number;
  readonly ends: Omit<Outcome, 'attempts'>;
  readonly transient?: true;
  readonly play: (peer: Peer) => void;
}

function answer(weight: number, code: number, status: string, transient?: true): Turn {
  return {
    name: status,
    weight,
    ends: { status, body: 'ok' },
    ...(transient && { transient }),
    play: (peer) => peer.send(`HTTP/1.1 ${code} x\r\ncontent-length: 2\r\n\r\nok`),
  };
}

const broken = { status: '502 Bad Gateway', body: '', error: 'connection_reset' };
const unusable = { status: '502 Bad Gateway', body: '', error: 'bad_response' };

const turns: readonly Turn[] = [
  answer(30, 200, '200 OK'),
  answer(4, 404, '404 Not Found'),
  answer(4, 500, '500 Internal Server Error'),
  answer(4, 302, '302 Found'),
  answer(15, 503, '503 Service Unavailable', true),
  answer(5, 429, '429 Too Many Requests', true),
  {
    name: 'connection: close',
    weight: 5,
    ends: { status: '200 OK', body: 'ok' },
    play: (peer) => peer.end('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok'),
  },
  { name: 'the end', weight: 6, ends: broken, transient: true, play: (peer) => peer.end() },
  { name: 'a reset', weight: 6, ends: broken, transient: true, play: (peer) => peer.reset() },
  {
    name: 'half a head',
    weight: 4,
    ends: broken,
    transient: true,
    play: (peer) => peer.end('HTTP/1.1 200 OK\r\ncontent'),
  },
  {
    name: 'silence',
    weight: 0.5,
    ends: { status: '504 Gateway Timeout', body: '', error: 'timeout' },
    transient: true,
    play: () => undefined,
  },
  { name: 'garbage', weight: 3, ends: unusable, play: (peer) => peer.send('\0\0\0\0') },
  { name: 'status 000', weight: 2, ends: unusable, play: (peer) => peer.send('HTTP/1.1 000 x\r\n\r\n') },
  { name: '101', weight: 2, ends: unusable, play: (peer) => peer.send('HTTP/1.1 101 x\r\n\r\n') },
  {
    name: '100 and 200',
    weight: 5,
    ends: { status: '200 OK', body: 'ok' },
    play: (peer) => peer.send('HTTP/1.1 100 x\r\n\r\nHTTP/1.1 200 x\r\ncontent-length: 2\r\n\r\nok'),
  },
  {
    name: '204 with a length',
    weight: 4,
    ends: { status: '204 No Content', body: '' },
    play: (peer) => peer.send('HTTP/1.1 204 x\r\ncontent-length: 2\r\n\r\n'),
  },
  {
    name: 'a body that breaks off',
    weight: 4,
    ends: { status: '200 OK', body: 'ok', truncated: true },
    play: (peer) => peer.end('HTTP/1.1 200 x\r\ncontent-length: 9\r\n\r\nok'),
  },
];

/** Uniform in [0, 1): the same for the same seed, job and attempt, in whatever order they come (mulberry32). */
function drawn(seed: number, job: number, attempt: number): number {
  let state = (seed + Math.imul(job, 0x9e3779b1) + Math.imul(attempt, 0x85ebca6b) + 0x6d2b79f5) | 0;
  state = Math.imul(state ^ (state >>> 15), state | 1);
  state ^= state + Math.imul(state ^ (state >>> 7), state | 61);
  return ((state ^ (state >>> 14)) >>> 0) / 2 ** 32;
}

function turnFor(uniform: number): Turn {
  let left = uniform * turns.reduce((sum, { weight }) => sum + weight, 0);
  for (const turn of turns) {
    left -= turn.weight;
    if (left < 0) return turn;
  }
  throw new Error('the weights do not add up');
}

test('1,000 jobs to destinations that fail at random all end, with what happened and as often as it happened', async (t) => {
  const seed = Number(env['SEED'] ?? randomInt(2 ** 31));
  t.log(`SEED=${seed}`);
  /** By idempotency key, the turns that a job met. */
  const met = new Map<string, Turn[]>();
  const moody: Behaviour = async (peer) => {
    for (;;) {
      const { body, idempotencyKey } = await peer.request();
      const history = met.get(idempotencyKey) ?? [];
      const turn = turnFor(drawn(seed, Number(/\d+/.exec(body)?.[0]), history.length));
      met.set(idempotencyKey, [...history, turn]);
      turn.play(peer);
    }
  };
  const destinations = await Promise.all(
    Array.from({ length: lanes }, () => startRawDestination(t, new Array<Behaviour>(10 * jobs).fill(moody))),
  );
  const relay = await startRelay(
    t,
    [`--attempts=${attempts}`, '--attempt-timeout=2s', '--job-timeout=60s', '--concurrency=16'],
    { random: () => 0 },
  );

  const ids: string[] = [];
  for (let first = 0; first < jobs; first += 50) {
    const batch = Array.from({ length: 50 }, async (_none, index) => {
      const job = first + index;
      const { json } = await relay.submit(destinations[job % lanes]?.url ?? '', `{"job":${job}}`);
      return json.id;
    });
    ids.push(...(await Promise.all(batch)));
  }
  await eventually(() => relay.service.stats().finished === jobs, 40_000);

  for (const id of ids) {
    const { json } = await relay.post('/export', { id });
    const history = met.get(id) ?? [];
    const last = history.at(-1);
    const names = history.map(({ name }) => name).join(', ');
    t.deepEqual(
      outcomeOf(json),
      { ...last?.ends, status: last?.ends.status ?? '', attempts: history.length },
      names,
    );
    t.true(
      history.slice(0, -1).every(({ transient }) => transient),
      `tried again after ${names}`,
    );
    t.true(last?.transient !== true || history.length === attempts, `not tried again after ${names}`);
  }
  t.is(met.size, jobs, 'each job has a key of its own');
  t.like(relay.service.stats(), { pending: 0, processing: 0, running: 0, lanes: 0 });
  for (const { open } of destinations) await eventually(() => open() <= 1);
});
