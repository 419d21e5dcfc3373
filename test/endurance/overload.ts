/**
 * `npm run overload -- [--factor N] [--seconds N] [--json]`: what becomes of a relay to which apps bring more than it
 * can take, twice and ten times as much unless one factor is asked for. Ends with 1 if a figure is missed.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Agent } from '../../bench/harness/agent.js';
import { type Server, startRelay } from '../../bench/harness/servers.js';
import type { Flooded } from '../../bench/load/flood.js';
import { below, exactly, type Figure, quantile, scratch } from '../faults/figures/scenario.js';
import type { Cleanup } from '../helpers/scripted_destination.js';
import { overloadFlags } from './flags.js';
import { type Note, print, rounded } from './printed.js';

const mb = 1024 ** 2;
const calibrationMs = 8000;
const calibrationApps = 128;
/** With the documented bounds for queues, and a bound for memory that can be told from the engine's own. */
const flags = ['--max-queued=10000', '--max-queued-per-lane=1000', '--max-memory=64mb', '--max-kept=10000'];
const rssBoundMb = 512;

/** The slowest of nearly all exports, one after the other, of an app that is alone. */
async function idleLatencyMs(agent: Agent, port: number): Promise<number> {
  const latencies: number[] = [];
  for (let round = 0; round < 60; round += 1) {
    const latency = await agent.run('oneExport', port);
    if (typeof latency === 'string')
      throw new Error(`an export of an idle relay was answered with ${latency}`);
    latencies.push(latency);
    await delay(10);
  }
  return quantile(latencies, 0.95);
}

/** How long it takes until five exports in turn are as fast as this. */
async function recoveryMs(agent: Agent, port: number, normalMs: number): Promise<number> {
  const stoppedAtMs = performance.now();
  let [inTurn, firstAtMs] = [0, stoppedAtMs];
  while (inTurn < 5 && performance.now() - stoppedAtMs < 60_000) {
    const beganAtMs = performance.now();
    const latency = await agent.run('oneExport', port);
    if (typeof latency === 'string' || latency > normalMs) inTurn = 0;
    else {
      if (inTurn === 0) firstAtMs = beganAtMs;
      inTurn += 1;
    }
    await delay(20);
  }
  return inTurn < 5 ? Infinity : firstAtMs - stoppedAtMs;
}

interface Peak {
  rssBytes: number;
  heapBytes: number;
}

/** Looks at the relay's memory twice a second until told to stop. */
function watchMemory({ program }: Server): { readonly peak: Peak; readonly stop: () => Promise<void> } {
  const peak: Peak = { rssBytes: 0, heapBytes: 0 };
  let going = true;
  const look = async (): Promise<void> => {
    while (going) {
      const { rssBytes, heapBytes } = await program.usage();
      peak.rssBytes = Math.max(peak.rssBytes, rssBytes);
      peak.heapBytes = Math.max(peak.heapBytes, heapBytes);
      await delay(500);
    }
  };
  const looking = look();
  return {
    peak,
    stop() {
      going = false;
      return looking;
    },
  };
}

/** What a flood has shown, against the highest rate of a relay that is not flooded. */
function floodFigures(
  factor: number,
  highest: number,
  arrivedPerSecond: number,
  { unexpected }: Flooded,
): readonly Figure[] {
  const told = unexpected.map(([status, count]) => `${count} × ${status}`).join(', ');
  return [
    {
      what: `${factor}×: answers other than 200, or 429 and 503 with Retry-After (0: none at all)`,
      asked: '0',
      seen: told === '' ? '0' : told,
      met: unexpected.length === 0,
    },
    {
      what: `${factor}×: exports that arrive, to the highest rate of ${Math.round(highest)}/s`,
      asked: '≥ 0.9',
      seen: rounded(arrivedPerSecond / highest, ''),
      met: arrivedPerSecond >= 0.9 * highest,
    },
  ];
}

interface Shown {
  readonly figures: readonly Figure[];
  readonly notes: readonly Note[];
}

async function overload(t: Cleanup, factor: number, seconds: number): Promise<Shown> {
  const relay = await startRelay([...flags, `--journal=${await scratch(t)}`]);
  t.teardown(() => relay.program.kill());
  const agent = await Agent.start();
  t.teardown(() => agent.stop());
  // What makes too much load must not be what cannot take the exports that come through.
  const flooding = await Agent.start();
  t.teardown(() => flooding.stop());
  await flooding.run('aimAt', await agent.run('receiveFlood'), 1_000_000);
  const { port } = relay;
  const highest = await agent.run('highestRate', port, calibrationApps, calibrationMs);
  const idleMs = await idleLatencyMs(agent, port);
  const memory = watchMemory(relay);
  const ended = flooding.run('flood', port, highest * factor, seconds * 1000);
  await delay((seconds * 1000) / 5);
  const before = await agent.run('arrived');
  await delay((seconds * 1000 * 4) / 5);
  const after = await agent.run('arrived');
  const arrivedPerSecond = ((after.count - before.count) * 1000) / (after.atMs - before.atMs);
  const flooded = await ended;
  // Twice as slow as usual is usual on a machine that does other things; a backlog makes it seconds.
  const recoveredMs = await recoveryMs(agent, port, Math.max(2 * idleMs, 20));
  const { lost, twice } = await agent.run('account', flooded.accepted, 60_000);
  await memory.stop();
  const { offered, unplaced, accepted, refused } = flooded;
  return {
    figures: [
      ...floodFigures(factor, highest, arrivedPerSecond, flooded),
      below(
        `${factor}×: from the end of the load until exports are as fast as before`,
        10_000,
        recoveredMs,
        ' ms',
      ),
      exactly(`${factor}×: of ${accepted.length} accepted exports, lost`, 0, lost),
      exactly(`${factor}×: exports that arrived twice`, 0, twice),
      below(`${factor}×: RSS at most`, rssBoundMb, memory.peak.rssBytes / mb, ' MB'),
    ],
    notes: [
      {
        what: `${factor}×: offered`,
        seen: `${rounded(offered / seconds, '/s')}, of which ${unplaced} found all connections waiting`,
      },
      {
        what: `${factor}×: accepted and refused`,
        seen: `${rounded(accepted.length / seconds, '/s')} and ${rounded(refused / seconds, '/s')}`,
      },
      { what: `${factor}×: heap at most`, seen: rounded(memory.peak.heapBytes / mb, ' MB') },
      { what: `${factor}×: p95 of an export of an idle relay`, seen: rounded(idleMs, ' ms') },
    ],
  };
}

const { values } = parseArgs({ options: overloadFlags });
const factors = values.factor === undefined ? [2, 10] : [Number(values.factor)];
const seconds = Number(values.seconds);
if (![seconds, ...factors].every((value) => value > 0)) {
  process.stderr.write('overload: --factor and --seconds take numbers above 0\n');
  process.exit(2);
}
const begunAtMs = performance.now();
const shown: Shown[] = [];
for (const factor of factors) {
  const releases: (() => unknown)[] = [];
  shown.push(await overload({ teardown: (release) => void releases.push(release) }, factor, seconds));
  for (const release of releases.reverse()) await release();
}
process.exit(
  print(
    {
      title: `overload: ${factors.join(' and ')} times what this machine takes, for ${seconds} s each`,
      seconds: (performance.now() - begunAtMs) / 1000,
      figures: shown.flatMap(({ figures }) => figures),
      notes: shown.flatMap(({ notes }) => notes),
      remarks: [],
    },
    values.json,
  ),
);
