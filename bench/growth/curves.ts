import { Agent } from '../harness/agent.js';
import type { Effort } from '../harness/row.js';
import { startRelay } from '../harness/servers.js';
import { median } from '../harness/summary.js';
import { mint, payload, post, question, submission } from '../load/requests.js';
import { fillBacklog } from '../rows/backlog.js';
import { holdPolls } from '../rows/held_polls.js';
import type { Plot } from './plot.js';

/** Something that grows, and what is measured at each of its sizes. */
export interface Curve {
  readonly name: string;
  readonly sizes: readonly number[];
  /** What grows. */
  readonly xLabel: string;
  /** What is measured, by the name of its plot. */
  readonly plots: Readonly<Record<string, Pick<Plot, 'title' | 'yLabel'>>>;
  /** One value for each plot. */
  readonly measure: (size: number, effort: Effort) => Promise<Readonly<Record<string, number>>>;
}

const tens = [10, 100, 1000, 10_000, 100_000];
const connections = 64;

async function withAgent<T>(use: (agent: Agent, receiverPort: number) => Promise<T>): Promise<T> {
  const agent = await Agent.start();
  try {
    return await use(agent, await agent.run('openReceiver'));
  } finally {
    await agent.stop();
  }
}

const pending: Curve = {
  name: 'pending',
  sizes: tens,
  xLabel: 'pending jobs of 1 KiB',
  plots: {
    'pending-rate': { title: 'Submissions on top of pending jobs', yLabel: 'submissions per second' },
    'pending-memory': { title: 'Memory of pending jobs, payloads included', yLabel: 'MB of heap' },
  },
  measure: (jobs, effort) =>
    withAgent(async (agent) => {
      const { perSecond, heapBytes } = await fillBacklog(agent, jobs, effort);
      return { 'pending-rate': perSecond, 'pending-memory': Math.max(0, jobs * (heapBytes + 1024)) / 1e6 };
    }),
};

const finished: Curve = {
  name: 'finished',
  sizes: tens,
  xLabel: 'finished jobs kept',
  plots: {
    'finished-rate': { title: 'Polls beside finished jobs', yLabel: 'polls per second' },
    'finished-memory': { title: 'Memory of finished jobs', yLabel: 'MB of heap' },
  },
  measure: (jobs, effort) =>
    withAgent(async (agent, receiverPort) => {
      // More than are measured, so that none makes way.
      const relay = await startRelay(['--max-kept=1000000'], effort);
      const body = submission(`http://127.0.0.1:${receiverPort}/in`, payload(100));
      const requests = Array.from({ length: connections }, (_, lane) =>
        post({ path: '/export', macaroon: mint(receiverPort, `app-${lane}`), body }),
      );
      const first = post({ path: '/export', macaroon: mint(receiverPort, 'app-0'), body });
      const id = await agent.run('submitOne', { port: relay.port, request: first });
      const before = await relay.program.usage({ collect: true });
      await agent.run('burst', { port: relay.port, connections, requests, count: jobs });
      const after = await relay.program.usage({ collect: true });
      const poll = post({ path: '/export', macaroon: mint(receiverPort, 'app-0'), body: question(id) });
      const hammer = { port: relay.port, connections, requests: [poll] };
      await agent.run('hammer', { ...hammer, durationMs: 2000 });
      const { answered, durationMs } = await agent.run('hammer', { ...hammer, durationMs: 2000 });
      await relay.program.kill();
      return {
        'finished-rate': (answered * 1000) / durationMs,
        'finished-memory': (after.heapBytes - before.heapBytes) / 1e6,
      };
    }),
};

const waiters: Curve = {
  name: 'waiters',
  // As far as 20,000 open files go.
  sizes: [10, 100, 1000, 10_000, 19_000],
  xLabel: 'long polls held',
  plots: {
    'waiters-memory': { title: 'Memory of held long polls, connections included', yLabel: 'MB of RSS' },
    'waiters-wake': { title: 'Until the last long poll is answered', yLabel: 'milliseconds' },
  },
  measure: async (count, effort) => {
    const { rssKib, wokenMs } = await holdPolls(count, effort);
    return { 'waiters-memory': Math.max(0, rssKib * count) / 1000, 'waiters-wake': wokenMs };
  },
};

/** Exports a second of a burst, with code that is compiled already. */
function exportsPerSecond(options: {
  readonly effort: Effort;
  readonly count: number;
  readonly lanes: number;
  readonly bytes: number;
  readonly path: string;
}): Promise<number> {
  const { effort, count, lanes, bytes, path } = options;
  return withAgent(async (agent, receiverPort) => {
    const relay = await startRelay(['--max-body=4mb'], effort);
    const body = submission(`http://127.0.0.1:${receiverPort}${path}`, payload(bytes));
    const requests = Array.from({ length: lanes }, (_, lane) =>
      post({ path: '/export', macaroon: mint(receiverPort, `app-${lane}`), body }),
    );
    const warm = submission(`http://127.0.0.1:${receiverPort}/in`, payload(1024));
    const macaroon = mint(receiverPort);
    await agent.run('burst', {
      port: relay.port,
      connections,
      requests: [post({ path: '/export', macaroon, body: warm })],
      count: 6000,
    });
    const { durationMs } = await agent.run('burst', { port: relay.port, connections, requests, count });
    await relay.program.kill();
    return (count * 1000) / durationMs;
  });
}

const lanes: Curve = {
  name: 'lanes',
  sizes: [1, 10, 100, 1000, 10_000],
  xLabel: 'lanes',
  plots: {
    'lanes-rate': { title: 'Exports end to end, by number of lanes', yLabel: 'exports per second' },
  },
  measure: async (size, effort) => ({
    'lanes-rate': await exportsPerSecond({ effort, count: 10_000, lanes: size, bytes: 1024, path: '/in' }),
  }),
};

const bodies: Curve = {
  name: 'bodies',
  sizes: [100, 1000, 10_000, 100_000, 1_000_000],
  xLabel: 'bytes of data',
  plots: {
    'bodies-rate': { title: 'Exports end to end, by size of the data', yLabel: 'exports per second' },
    'bodies-volume': { title: 'Data end to end, by size of the data', yLabel: 'MB per second' },
  },
  measure: async (bytes, effort) => {
    const count = Math.min(10_000, Math.round(4e8 / bytes));
    const perSecond = await exportsPerSecond({ effort, count, lanes: 64, bytes, path: '/in' });
    return { 'bodies-rate': perSecond, 'bodies-volume': (perSecond * bytes) / 1e6 };
  },
};

const latencies: Curve = {
  name: 'latencies',
  sizes: [1, 10, 100, 1000, 5000],
  xLabel: 'milliseconds until the destinations answer',
  plots: {
    'latencies-rate': {
      title: 'Exports end to end on 256 lanes, by the destinations’ latency',
      yLabel: 'exports per second',
    },
  },
  measure: async (latencyMs, effort) => ({
    'latencies-rate': await exportsPerSecond({
      effort,
      // Ten seconds’ worth or four rounds of all lanes.
      count: 256 * Math.max(4, Math.min(40, Math.round(10_000 / latencyMs))),
      lanes: 256,
      bytes: 1024,
      path: `/after/${latencyMs}`,
    }),
  }),
};

export const curves: readonly Curve[] = [pending, finished, waiters, lanes, bodies, latencies];

/** The middle of several measurements of one size. */
export function middleOf(measured: readonly Readonly<Record<string, number>>[], plot: string): number {
  return median(measured.map((values) => values[plot] ?? Number.NaN));
}
