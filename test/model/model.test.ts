import { parseArgs } from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import { bounds, isUnfinished, must } from './ledger.js';
import { Nothing, type Operation, operations } from './operations.js';
import { World } from './world.js';

/** `npm run model -- --runs 10000` for more of them, `--seed=-123` for the same ones again. */
const { values } = parseArgs({
  options: { runs: { type: 'string' }, seed: { type: 'string' } },
});

async function step(world: World, { run }: Operation): Promise<void> {
  try {
    await run(world);
  } catch (error) {
    if (!(error instanceof Nothing)) throw error;
  }
  world.check();
}

/** Nothing is being written, and what there is has been read: is everything as it was promised? */
async function compare(world: World): Promise<void> {
  await world.settle();
  world.check();
  const { ledger, life } = world;
  for (const known of ledger.known) {
    if (known.seen === undefined || known.status !== 'accepted') continue;
    const job = await life.registry.get(known.seen.id);
    if (job === undefined) ledger.misses(known, world.nowMs);
    else ledger.shows(job, world.nowMs);
  }
  if (world.hasBeenWell) ledger.settles(life.registry.stats(), life.waiters.size, world.nowMs);
  world.check();
}

/** With a disk that works and destinations that answer, everything ends, and is forgotten in time. */
async function finish(world: World): Promise<void> {
  const { ledger } = world;
  world.setFault('none');
  world.answersAll = true;
  for (const flight of [...world.life.flights])
    flight.land({ kind: 'failed', error: { code: 'timeout', message: '' } });
  for (
    let waited = 0;
    waited < 2 * bounds.queueTimeoutMs && ledger.known.some(isUnfinished);
    waited += 1000
  ) {
    await world.advance(1000);
    await world.settle();
  }
  await compare(world);
  must(!ledger.known.some(isUnfinished), 'something never ends');
  await world.advance(bounds.resultTtlMs + 2000);
  await compare(world);
  const { pending, processing, finished, bytes, lanes, running, waiters } = world.life.registry.stats();
  const left = pending + processing + finished + bytes + lanes + running + waiters;
  must(left === 0, 'something is left when all is forgotten');
  must(world.stored.size === 0 && world.life.log.stats().jobs === 0, 'something is left on the disk');
  await world.stop();
}

const seed = values.seed === undefined ? undefined : Number(values.seed);

test('whatever clients, destinations, disk and operator do, what was promised is kept', async (t) => {
  await fc.assert(
    fc.asyncProperty(operations, async (sequence) => {
      const world = new World();
      await world.start(Date.UTC(2030, 0, 1));
      for (const operation of sequence) {
        await step(world, operation);
        if (operation.toString().startsWith('advance')) await compare(world);
      }
      await finish(world);
    }),
    {
      numRuns: Number(values.runs ?? 300),
      ...(seed === undefined ? {} : { seed }),
      includeErrorInReport: true,
    },
  );
  t.pass();
});
