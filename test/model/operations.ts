import fc from 'fast-check';
import type { AttemptOutcome } from '#relay/delivery/outcome.js';
import { laneOf } from '#relay/job/job.js';
import { dice } from '../helpers/dice.js';
import { settled } from '../helpers/fake_clock.js';
import { destination } from '../helpers/jobs.js';
import { bounds, type Known, must } from './ledger.js';
import { ok, type World } from './world.js';

/** One thing that a client, a destination, time or fate does. */
export interface Operation {
  readonly run: (world: World) => Promise<void> | void;
  /** For the report of a failure. */
  readonly toString: () => string;
}

const destinations = [destination('https://a.example/in'), destination('https://b.example/in')] as const;

const submit = fc
  .record({
    owner: fc.constantFrom('', 'app'),
    to: fc.constantFrom(...destinations),
    idempotencyKey: fc.constantFrom(undefined, undefined, 'k', 'l'),
    data: fc.constantFrom('{}', '[1]', JSON.stringify('x'.repeat(700))),
    expiresInMs: fc.constantFrom(undefined, undefined, undefined, 1, 600, 5000),
  })
  .map(({ owner, to, idempotencyKey, data, expiresInMs }): Operation => ({
    toString: () => `submit ${owner} ${to.href} ${idempotencyKey ?? ''} ${data.length} ${expiresInMs ?? ''}`,
    run: (world) => {
      const from = {
        owner,
        destination: to,
        data,
        dataBytes: data.length,
        purpose: String(world.ledger.known.length),
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
        expiresAtMs: expiresInMs === undefined ? undefined : world.nowMs + expiresInMs,
      };
      return submitAs(world, from);
    },
  }));

async function submitAs(world: World, from: Known['from']): Promise<void> {
  const before = await holderOf(world, from);
  if (before === undefined) submitFirst(world, from);
  else submitAgain(world, { ...from, purpose: 'a repetition' }, before);
}

function submitFirst(world: World, from: Known['from']): void {
  const { ledger, life } = world;
  const lane = ledger.unfinished(laneOf(from));
  const all = ledger.unfinished();
  const known = ledger.asks(from, world.nowMs);
  void world.answer(life.registry.submit(from), (result) => {
    if (result.ok) {
      must(result.value.purpose === from.purpose, 'another job is the answer');
      must(lane < bounds.maxQueuedPerLane && all < bounds.maxQueued, 'accepted beyond a limit');
      known.status = 'accepted';
      return;
    }
    known.status = 'refused';
    const { code } = result.failure;
    if (code === 'lane_full') must(lane >= bounds.maxQueuedPerLane, 'the lane was not full');
    else if (code === 'queue_full') must(all >= bounds.maxQueued, 'the queue was not full');
    else must(code === 'storage_unavailable' && world.faultInThisLife, code);
  });
}

function submitAgain(world: World, from: Known['from'], before: Known): void {
  void world.answer(world.life.registry.submit(from), (result) => {
    if (result.ok) {
      must(result.value.purpose === before.from.purpose, 'one key, two jobs');
      return;
    }
    const { code } = result.failure;
    if (code === 'idempotency_conflict') must(before.from.data !== from.data, 'a conflict');
    else must(code === 'storage_unavailable' && world.faultInThisLife, code);
  });
}

/** The job that has the key of a submission. */
async function holderOf({ ledger, life, nowMs }: World, from: Known['from']): Promise<Known | undefined> {
  if (from.idempotencyKey === undefined) return undefined;
  for (const known of ledger.known.toReversed()) {
    const { owner, destination: to, idempotencyKey } = known.from;
    const same = owner === from.owner && to === from.destination && idempotencyKey === from.idempotencyKey;
    if (!same || known.status === 'refused' || known.status === 'forgotten') continue;
    if (known.seen === undefined) return known;
    if ((await life.registry.get(known.seen.id)) !== undefined) return known;
    ledger.misses(known, nowMs);
  }
  return undefined;
}

const index = fc.nat(20);

/** The submission that an index stands for, among those that a client knows the id of. */
function pick({ ledger }: World, at: number): Known & { readonly seen: NonNullable<Known['seen']> } {
  const all = ledger.known.filter((one): one is Known & { readonly seen: NonNullable<Known['seen']> } => {
    return one.seen !== undefined;
  });
  const one = all[at % Math.max(1, all.length)];
  if (one === undefined) throw new Nothing();
  return one;
}

/** There is nothing yet that the operation could be about. */
export class Nothing extends Error {}

const poll = index.map((at): Operation => ({
  toString: () => `poll ${at}`,
  run: (world) => {
    const known = pick(world, at);
    const { registry } = world.life;
    void world.answer(registry.get(known.seen.id), (job) => {
      if (job === undefined) world.ledger.misses(known, world.nowMs);
      else world.ledger.shows(job, world.nowMs);
      registry.markRead(known.seen.id);
    });
  },
}));

const watch = fc
  .record({
    at: index,
    until: fc.constantFrom('change' as const, 'Finished' as const),
    waitMs: fc.constantFrom(0, 700, 5000),
    leaves: fc.boolean(),
  })
  .map(({ at, until, waitMs, leaves }): Operation => ({
    toString: () => `watch ${at} until ${until} for ${waitMs}${leaves ? ', and leave' : ''}`,
    run: (world) => {
      const known = pick(world, at);
      const { registry, waiters, clock } = world.life;
      const client = new AbortController();
      waiters.add(client);
      const { version } = known.seen;
      const begunAtMs = clock.monotonicMs();
      // What an earlier process showed in the very millisecond in which it was killed wakes nobody.
      const shownBefore = new Map(known.shownAtMs);
      const options = { until, waitMs, signal: client.signal, knownVersion: version };
      void world.answer(registry.watch(known.seen.id, options), (result) => {
        waiters.delete(client);
        must(clock.monotonicMs() - begunAtMs <= waitMs, 'a long poll that waits too long');
        if (result.ok) world.ledger.shows(result.value, world.nowMs);
        else if (result.failure.code === 'unknown_job') world.ledger.misses(known, world.nowMs);
        else must(result.failure.code === 'too_many_waiters', result.failure.code);
        const early = clock.monotonicMs() - begunAtMs < waitMs && !client.signal.aborted;
        const same = result.ok && result.value.version === version && result.value.state !== 'Finished';
        must(!early || !same || world.isStopping, 'a long poll that ends without a change');
        const end = result.ok && result.value.state === 'Finished' ? result.value.version : undefined;
        const wakes = until === 'change' ? version + 1 : end;
        const woken = wakes === undefined ? undefined : known.shownAtMs.get(wakes);
        must(
          woken === undefined || woken === world.nowMs || woken === shownBefore.get(wakes ?? 0),
          'a long poll missed a change',
        );
      });
      if (leaves) client.abort();
    },
  }));

const cancel = index.map((at): Operation => ({
  toString: () => `cancel ${at}`,
  run: (world) => {
    const known = pick(world, at);
    known.cancelled = true;
    void world.answer(world.life.registry.cancel(known.seen.id), (result) => {
      if (result.ok) {
        must(result.value.state === 'Finished', 'cancelled and not Finished');
        world.ledger.shows(result.value, world.nowMs);
      } else if (result.failure.code === 'unknown_job') world.ledger.misses(known, world.nowMs);
      else must(result.failure.code === 'storage_unavailable' && world.faultInThisLife, 'not cancelled');
    });
  },
}));

function answered(statusCode: number, headers: Readonly<Record<string, string>> = {}): AttemptOutcome {
  return {
    kind: 'answered',
    answer: { statusCode, headers, body: 'b', encoding: 'utf-8', truncated: false },
  };
}

const outcomes: Readonly<Record<string, AttemptOutcome>> = {
  'ok': ok,
  '404': answered(404),
  '503': answered(503),
  '503, in 2 s': answered(503, { 'retry-after': '2' }),
  'no connection': { kind: 'failed', error: { code: 'connect_failed', message: '' } },
  'nonsense': { kind: 'failed', error: { code: 'bad_response', message: '' } },
};

const answer = fc
  .record({ at: index, name: fc.constantFrom(...Object.keys(outcomes)) })
  .map(({ at, name }): Operation => ({
    toString: () => `answer ${at}: ${name}`,
    run: ({ life }) => {
      const flights = [...life.flights];
      flights[at % Math.max(1, flights.length)]?.land(outcomes[name] ?? ok);
    },
  }));

const advance = fc.constantFrom(1, 100, 500, 1000, 3000, 9000, 16_000).map((ms): Operation => ({
  toString: () => `advance ${ms}`,
  run: (world) => world.advance(ms),
}));

const turns = fc.integer({ min: 1, max: 12 }).map((count): Operation => ({
  toString: () => `turns ${count}`,
  run: async () => {
    for (let turn = 0; turn < count; turn += 1) await settled();
  },
}));

const restart = fc.constant<Operation>({ toString: () => 'restart', run: (world) => world.restart() });

const kill = fc
  .record({ power: fc.boolean(), seed: fc.nat(), awayMs: fc.constantFrom(0, 0, 1000, 16_000) })
  .map(({ power, seed, awayMs }): Operation => ({
    toString: () => `${power ? `cut the power (${seed})` : 'kill'}, away ${awayMs}`,
    run: (world) => world.kill(power, dice(seed), awayMs),
  }));

const storage = fc
  .constantFrom('none' as const, 'none' as const, 'full' as const, 'broken' as const)
  .map((fault): Operation => ({ toString: () => `fault: ${fault}`, run: (world) => world.setFault(fault) }));

export const operations: fc.Arbitrary<readonly Operation[]> = fc.array(
  fc.oneof(
    { arbitrary: submit, weight: 10 },
    { arbitrary: turns, weight: 8 },
    { arbitrary: answer, weight: 8 },
    { arbitrary: advance, weight: 6 },
    { arbitrary: poll, weight: 2 },
    { arbitrary: watch, weight: 4 },
    { arbitrary: cancel, weight: 3 },
    { arbitrary: storage, weight: 2 },
    { arbitrary: kill, weight: 2 },
    { arbitrary: restart, weight: 1 },
  ),
  { maxLength: 60, size: 'max' },
);
