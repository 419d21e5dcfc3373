import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent } from '../harness/agent.js';
import { type Effort, type Row, alternate, ratios } from '../harness/row.js';
import { startRelay } from '../harness/servers.js';
import { Client } from '../load/client.js';
import { mint, payload, post, question, submission } from '../load/requests.js';

const backlogJobs = 100_000;
const dataBytes = 1024;
const connections = 64;

/** What jobs that wait for their turn cost. */
export interface Backlog {
  /** V8's heap for each job, its payload not counted. */
  readonly heapBytes: number;
  readonly rssBytes: number;
  /** Submissions a second on top of them. */
  readonly perSecond: number;
  /** What a submission takes of the processor. */
  readonly cpuMicros: number;
}

/** A relay with `jobs` that wait for their turn behind one that never ends; compiled code and heap are warm. */
export async function fillBacklog(agent: Agent, jobs: number, effort: Effort): Promise<Backlog> {
  const relay = await startRelay([], effort);
  const port = await agent.run('openReceiver');
  const submit = (path: string): Buffer =>
    post({
      path: '/export',
      macaroon: mint(port),
      body: submission(`http://127.0.0.1:${port}${path}`, payload(dataBytes)),
    });
  // These end, so that the queue is empty again.
  await agent.run('burst', { port: relay.port, connections, requests: [submit('/in')], count: 15_000 });
  const requests = [submit('/never')];
  const empty = await relay.program.usage({ collect: true });
  if (jobs > 0) await agent.run('hammer', { port: relay.port, connections, requests, count: jobs });
  const full = await relay.program.usage({ collect: true });
  // For a while after a forced collection of garbage submissions take twice as long.
  await agent.run('hammer', { port: relay.port, connections, requests, count: 5000 });
  const before = await relay.program.usage();
  const count = Math.round(20_000 * effort.scale);
  const { durationMs } = await agent.run('hammer', { port: relay.port, connections, requests, count });
  const after = await relay.program.usage();
  await relay.program.kill();
  return {
    heapBytes: (full.heapBytes - empty.heapBytes) / jobs - dataBytes,
    rssBytes: (full.rssBytes - empty.rssBytes) / jobs - dataBytes,
    perSecond: (count * 1000) / durationMs,
    cpuMicros: (after.cpuMicros - before.cpuMicros) / count,
  };
}

export const pendingJobs: Row = {
  name: 'pending-jobs',
  what: `${backlogJobs} pending jobs`,
  async measure(effort) {
    const agent = await Agent.start();
    const [heapKb, rssKb]: [number[], number[]] = [[], []];
    const full: Backlog[] = [];
    const empty: Backlog[] = [];
    await alternate(
      effort.rounds,
      async () => {
        const backlog = await fillBacklog(agent, Math.round(backlogJobs * effort.scale), effort);
        full.push(backlog);
        heapKb.push(backlog.heapBytes / 1000);
        rssKb.push(backlog.rssBytes / 1000);
      },
      async () => void empty.push(await fillBacklog(agent, 0, effort)),
    );
    await agent.stop();
    const [ours, theirs] = [full, empty].map((side) => side.map(({ perSecond }) => perSecond));
    return [
      {
        what: 'heap for each, beyond the payload',
        unit: 'kB',
        relay: heapKb,
        compared: heapKb,
        bar: { kind: 'under', value: 1.5, unit: 'kB' },
      },
      { what: 'RSS for each, beyond the payload', unit: 'kB', relay: rssKb, compared: rssKb },
      {
        what: 'submissions/s, against an empty queue',
        unit: 'per s',
        relay: ours ?? [],
        yardstick: theirs ?? [],
        compared: ratios(ours ?? [], theirs ?? []),
        bar: { kind: 'at least', value: 0.9, unit: '×' },
        cpuMicros: {
          relay: full.map(({ cpuMicros }) => cpuMicros),
          yardstick: empty.map(({ cpuMicros }) => cpuMicros),
        },
      },
    ];
  },
};

export const journalStart: Row = {
  name: 'journal-start',
  what: `start with a journal of ${backlogJobs} jobs, to the first answer`,
  async measure(effort) {
    const agent = await Agent.start();
    const directory = await mkdtemp(join(tmpdir(), 'relay-bench-'));
    const journal = `--journal=${join(directory, 'journal')}`;
    const seconds: number[] = [];
    const writer = await startRelay([journal]);
    const port = await agent.run('openReceiver');
    const macaroon = mint(port);
    const body = submission(`http://127.0.0.1:${port}/never`, payload(dataBytes));
    const submit = post({ path: '/export', macaroon, body });
    const id = await agent.run('submitOne', { port: writer.port, request: submit });
    const count = Math.round(backlogJobs * effort.scale) - 1;
    await agent.run('hammer', { port: writer.port, connections, requests: [submit], count });
    await writer.program.kill();
    for (let round = 0; round < effort.rounds; round += 1) {
      const startedAtMs = performance.now();
      const relay = await startRelay([journal], { ...effort, probed: false });
      const client = await Client.open(relay.port);
      const { status } = await client.send(post({ path: '/export', macaroon, body: question(id) }));
      if (status !== 200) throw new Error(`the relay does not know the job: ${status}`);
      seconds.push((performance.now() - startedAtMs) / 1000);
      client.close();
      await relay.program.kill();
    }
    await agent.stop();
    await rm(directory, { recursive: true });
    return [
      { what: '', unit: 's', relay: seconds, compared: seconds, bar: { kind: 'under', value: 2, unit: 's' } },
    ];
  },
};
