import test from 'ava';
import { answersAndCloses } from '../helpers/answers.js';
import { eventually } from '../helpers/eventually.js';
import { FakeClock } from '../helpers/fake_clock.js';
import { outcomeOf } from '../helpers/misbehaviour.js';
import { type Behaviour, type RawDestination, startRawDestination } from '../helpers/raw_destination.js';
import { type JobJson, type RelayUnderTest, startRelay } from '../helpers/relay.js';
import type { Cleanup } from '../helpers/scripted_destination.js';

const attempts = 4;

/** An answer with this status, on a connection of its own. */
function status(code: number, ...headers: readonly string[]): Behaviour {
  return answersAndCloses(
    [`HTTP/1.1 ${code} x`, 'connection: close', 'content-length: 2', ...headers, '', 'no'].join('\r\n'),
  );
}

const breaks: Behaviour = answersAndCloses('');

/** One job on its way to a destination that fails first, with time in the test's hand and no luck in the jitter. */
class Journey {
  readonly relay: RelayUnderTest;
  readonly clock: FakeClock;
  readonly destination: RawDestination;
  readonly id: string;

  constructor(relay: RelayUnderTest, clock: FakeClock, destination: RawDestination, id: string) {
    this.relay = relay;
    this.clock = clock;
    this.destination = destination;
    this.id = id;
  }

  /** Resolves to the delay until the next attempt once `count` attempts have ended; `undefined` if there is none. */
  async ended(count: number): Promise<unknown> {
    await eventually(() => this.relay.logged('attempt').length === count);
    return this.relay.logged('attempt').at(-1)?.['retry_in_ms'];
  }

  async job(): Promise<JobJson> {
    return (await this.relay.post('/export', { id: this.id })).json;
  }
}

async function startJourney(
  t: Cleanup,
  behaviours: readonly Behaviour[],
  flags: readonly string[] = [],
): Promise<Journey> {
  const clock = new FakeClock();
  const relay = await startRelay(t, [`--attempts=${attempts}`, ...flags], { clock, random: () => 1 });
  const destination = await startRawDestination(t, behaviours);
  const { json } = await relay.submit(destination.url, '{"the":"data"}');
  return new Journey(relay, clock, destination, json.id);
}

const schedule = [500, 1000, 2000];

for (const [name, failure] of [
  ['503', status(503)],
  ['a connection that breaks', breaks],
] as const) {
  for (let failures = 0; failures <= attempts; failures += 1) {
    test(`${failures} times ${name} and then 200: tried at 0, 0.5, 1.5 and 3.5 s, until it works`, async (t) => {
      const journey = await startJourney(t, new Array<Behaviour>(failures).fill(failure));
      const { clock, destination } = journey;
      const expected = Math.min(failures + 1, attempts);
      for (let attempt = 1; attempt < expected; attempt += 1) {
        const delayMs = await journey.ended(attempt);
        t.is(delayMs, schedule[attempt - 1]);
        await clock.advance(Number(delayMs) - 1);
        t.is(destination.requests.length, attempt, 'not before its time');
        t.like(await journey.job(), { state: 'Processing', attempts: attempt });
        await clock.advance(1);
      }
      t.is(await journey.ended(expected), undefined);
      t.is((await journey.job()).attempts, expected);
      t.is(destination.requests.length, expected, 'what the relay counts is what the destination saw');
      t.deepEqual(
        [...new Set(destination.requests.map(({ idempotencyKey, body }) => `${idempotencyKey} ${body}`))],
        [`${journey.id} {"the":"data"}`],
        'the same key and the same bytes each time',
      );
      // Nothing follows, however long one waits.
      await clock.advance(3_600_000 - 1000);
      t.is(destination.requests.length, expected);
      const failed = name === '503' ? '503 Service Unavailable' : '502 Bad Gateway';
      t.is(outcomeOf(await journey.job()).status, failures < attempts ? '200 OK' : failed);
    });
  }
}

for (const code of [408, 425, 429, 502, 503, 504]) {
  test(`${code} is tried again`, async (t) => {
    const journey = await startJourney(t, [status(code)]);
    t.is(await journey.ended(1), 500);
    await journey.clock.advance(500);
    t.is(await journey.ended(2), undefined);
    t.deepEqual(outcomeOf(await journey.job()), { status: '200 OK', body: 'fine!', attempts: 2 });
  });
}

for (const code of [
  201, 300, 301, 307, 308, 400, 401, 403, 404, 409, 410, 413, 418, 422, 451, 500, 501, 505, 507,
]) {
  test(`${code} is the answer`, async (t) => {
    const journey = await startJourney(t, [status(code, 'retry-after: 1')]);
    t.is(await journey.ended(1), undefined);
    t.like(outcomeOf(await journey.job()), { body: 'no', attempts: 1 });
    t.is((await journey.job()).ext_response.status_code, code);
  });
}

const clockStartMs = new FakeClock().nowMs();
const inAMinute = new Date(clockStartMs + 60_000).toUTCString();
const anHourAgo = new Date(clockStartMs - 3_600_000).toUTCString();
const tooLate = new Date(clockStartMs + 3_600_000).toUTCString();

for (const [value, expected, why] of [
  ['7', 7000, 'seconds'],
  [inAMinute, 60_000, 'a date'],
  [anHourAgo, 500, 'a date that has passed leaves the jitter'],
  ['599', 599_000, 'just within the job timeout'],
  ['600', undefined, 'at the job timeout: no further attempt'],
  [tooLate, undefined, 'a date past the job timeout'],
  ['9'.repeat(400), undefined, 'a number that is none any more'],
  ['-1', 500, 'not a number of seconds'],
  ['soon', 500, 'neither form'],
] as const) {
  test(`Retry-After "${value.slice(0, 40)}" after 503: ${why}`, async (t) => {
    const journey = await startJourney(t, [status(503, `retry-after: ${value}`)]);
    t.is(await journey.ended(1), expected);
    if (expected === undefined) {
      const job = await journey.job();
      t.deepEqual(outcomeOf(job), { status: '503 Service Unavailable', body: 'no', attempts: 1 });
      t.is(job.ext_response.headers?.['retry-after'], value);
      return;
    }
    await journey.clock.advance(expected - 1);
    t.is(journey.destination.requests.length, 1);
    await journey.clock.advance(1);
    t.is(await journey.ended(2), undefined);
    t.like(outcomeOf(await journey.job()), { status: '200 OK', attempts: 2 });
  });
}

test('of two Retry-After the first counts', async (t) => {
  const journey = await startJourney(t, [status(503, 'retry-after: 3', 'retry-after: 9')]);
  t.is(await journey.ended(1), 3000);
});

test('a job that waits for its next attempt keeps neither its lane nor a slot', async (t) => {
  const journey = await startJourney(t, [status(503, 'retry-after: 100')], ['--concurrency=1']);
  t.is(await journey.ended(1), 100_000);
  const { json } = await journey.relay.submit(journey.destination.url, '{"second":true}');
  t.like(outcomeOf(await journey.relay.finished(json.id)), { status: '200 OK', attempts: 1 });
  t.is((await journey.job()).state, 'Processing');
});

test('cancelling a job that waits for its next attempt drops it', async (t) => {
  const journey = await startJourney(t, [status(503)]);
  t.is(await journey.ended(1), 500);
  const { clock, relay, destination } = journey;
  await relay.post('/export', { id: journey.id, action: 'cancel' });
  await clock.advance(600_000);
  t.is(destination.requests.length, 1);
});
