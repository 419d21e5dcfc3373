import { Agent } from '../harness/agent.js';
import { type Effort, type Figure, type Row, alternate, ratios } from '../harness/row.js';
import { type Server, startForwarder, startRelay, UndiciPosts } from '../harness/servers.js';
import { mint, payload, post, submission } from '../load/requests.js';

const dataBytes = 1024;
/** Exports before each measurement: for a while after a forced collection of garbage they take twice as long. */
const leadIn = 3000;

interface BurstPlan {
  readonly jobs: number;
  readonly lanes: number;
  /** Of the app that submits. */
  readonly connections: number;
  /** POSTs that the yardstick has under way at once. */
  readonly concurrency: number;
  readonly flags: readonly string[];
  readonly atLeast: number;
}

/** Exports of a burst a second: the relay from the first submission on, the yardstick POSTing the same bodies. */
async function measureBursts(plan: BurstPlan, effort: Effort): Promise<readonly Figure[]> {
  const { lanes, connections, concurrency } = plan;
  const count = Math.round(plan.jobs * effort.scale);
  const agent = await Agent.start();
  const relay = await startRelay(plan.flags, effort);
  const undici = await UndiciPosts.start();
  const port = await agent.run('openReceiver');
  const data = payload(dataBytes);
  const body = submission(`http://127.0.0.1:${port}/in`, data);
  const requests = Array.from({ length: lanes }, (_, lane) =>
    post({ path: '/export', macaroon: mint(port, `app-${lane}`), body }),
  );
  const forwarder = await startForwarder(concurrency);
  const through =
    (server: Server) =>
    async (exports: number): Promise<number> =>
      (await agent.run('burst', { port: server.port, connections, requests, count: exports })).durationMs;
  const [relayed, forwarded] = [through(relay), through(forwarder)];
  const posted = (posts: number): Promise<number> =>
    undici.post({ port, path: '/in', body: data, count: posts, concurrency });
  const ours: Sides = { perSecond: [], cpuMicros: [] };
  const theirs: Sides = { perSecond: [], cpuMicros: [] };
  const least: Sides = { perSecond: [], cpuMicros: [] };
  // Twice, since the first burst also pays for code that is not compiled yet.
  for (const warmUp of [relayed, forwarded, posted, relayed, forwarded, posted]) await warmUp(count);
  await alternate(
    effort.rounds,
    () => timed(relay.program, relayed, count, ours),
    () => timed(undici.program, posted, count, theirs),
  );
  for (let round = 0; round < effort.rounds; round += 1) {
    await timed(forwarder.program, forwarded, count, least);
  }
  await relay.program.stop();
  await undici.program.stop();
  await forwarder.program.stop();
  await agent.stop();
  return [
    {
      what: '',
      unit: 'per s',
      relay: ours.perSecond,
      yardstick: theirs.perSecond,
      compared: ratios(ours.perSecond, theirs.perSecond),
      bar: { kind: 'at least', value: plan.atLeast, unit: '×' },
      cpuMicros: { relay: ours.cpuMicros, yardstick: theirs.cpuMicros },
    },
    {
      what: 'the most that Koa and undici allow in one process',
      instead: 'forwarder',
      unit: 'per s',
      relay: least.perSecond,
      yardstick: theirs.perSecond,
      compared: ratios(least.perSecond, theirs.perSecond),
      cpuMicros: { relay: least.cpuMicros, yardstick: theirs.cpuMicros },
    },
  ];
}

interface Sides {
  readonly perSecond: number[];
  readonly cpuMicros: number[];
}

async function timed(
  program: UndiciPosts['program'],
  run: (count: number) => Promise<number>,
  count: number,
  into: Sides,
): Promise<void> {
  await program.usage({ collect: true });
  await run(leadIn);
  const before = await program.usage();
  const durationMs = await run(count);
  const after = await program.usage();
  into.perSecond.push((count * 1000) / durationMs);
  into.cpuMicros.push((after.cpuMicros - before.cpuMicros) / count);
}

const manyLanes = 64;

export const exports: Row = {
  name: 'exports',
  what: `exports/s end to end, ${manyLanes} lanes, against undici POSTing ${manyLanes} at once`,
  measure: (effort) =>
    measureBursts(
      {
        jobs: 12_000,
        lanes: manyLanes,
        connections: manyLanes,
        concurrency: manyLanes,
        flags: [`--concurrency=${manyLanes}`],
        atLeast: 0.5,
      },
      effort,
    ),
};

export const oneLane: Row = {
  name: 'one-lane',
  what: 'exports/s of one lane, burst of 6,000 over 16 connections, against undici one after another',
  measure: (effort) =>
    measureBursts({ jobs: 6000, lanes: 1, connections: 16, concurrency: 1, flags: [], atLeast: 0.4 }, effort),
};
