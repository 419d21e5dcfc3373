import { Agent } from '../harness/agent.js';
import { type Effort, type Figure, type Row, alternate, ratios } from '../harness/row.js';
import { startRelay } from '../harness/servers.js';
import { median, quantile } from '../harness/summary.js';
import { mint, payload, post, submission } from '../load/requests.js';

const data = payload(1024);

export const idleExport: Row = {
  name: 'idle-export',
  what: 'one export of an idle relay, submit → receiver has it, p50',
  async measure(effort) {
    const agent = await Agent.start();
    const relay = await startRelay([], effort);
    const macaroons = [mint(await agent.run('openReceiver'))];
    const exportOnce = { port: relay.port, macaroons, data, pauseMs: 5 };
    const count = Math.round(200 * effort.scale);
    const [ours, direct]: [number[], number[]] = [[], []];
    await agent.run('exportLatencies', { ...exportOnce, count: 200 });
    await alternate(
      effort.rounds,
      async () => {
        const { sentToArrived } = await agent.run('exportLatencies', { ...exportOnce, count });
        ours.push(median(sentToArrived));
      },
      async () => {
        direct.push(median(await agent.run('directLatencies', { data, count, pauseMs: 5 })));
      },
    );
    await relay.program.stop();
    await agent.stop();
    const added = ours.map((value, round) => value - (direct[round] ?? Number.NaN));
    return [
      {
        what: 'added to a POST straight there',
        unit: 'ms',
        relay: ours,
        yardstick: direct,
        compared: added,
        bar: { kind: 'under', value: 2, unit: 'ms' },
      },
    ];
  },
};

export const longPoll: Row = {
  name: 'long-poll',
  what: 'long poll: destination answered → client has it, p50',
  async measure(effort) {
    const agent = await Agent.start();
    const relay = await startRelay([], effort);
    const poll = { port: relay.port, macaroon: mint(await agent.run('openReceiver')), data };
    await agent.run('longPollLatencies', { ...poll, count: 100 });
    const p50: number[] = [];
    for (let round = 0; round < effort.rounds; round += 1) {
      const latencies = await agent.run('longPollLatencies', {
        ...poll,
        count: Math.round(100 * effort.scale),
      });
      p50.push(median(latencies));
    }
    await relay.program.stop();
    await agent.stop();
    return [
      { what: '', unit: 'ms', relay: p50, compared: p50, bar: { kind: 'under', value: 2, unit: 'ms' } },
    ];
  },
};

const floodLanes = 64;

/** Submissions to other lanes of a destination that answers at once, as fast as the relay takes them. */
function flood(receiverPort: number): readonly Buffer[] {
  const uri = `http://127.0.0.1:${receiverPort}/in`;
  return Array.from({ length: floodLanes }, (_, lane) =>
    post({ path: '/export', macaroon: mint(receiverPort, `flood-${lane}`), body: submission(uri, data) }),
  );
}

export const quietLane: Row = {
  name: 'quiet-lane',
  what: `one export of a quiet lane while submissions on ${floodLanes} others saturate the relay: accepted → receiver has it, p99`,
  async measure(effort) {
    const flooding = await Agent.start();
    const quiet = await Agent.start();
    const requests = flood(await flooding.run('openReceiver'));
    const macaroon = mint(await quiet.run('openReceiver'), 'quiet');
    const p99: number[] = [];
    for (let round = 0; round < effort.rounds; round += 1)
      p99.push(await measureQuiet(flooding, requests, quiet, macaroon, effort));
    await flooding.stop();
    await quiet.stop();
    return [
      { what: '', unit: 'ms', relay: p99, compared: p99, bar: { kind: 'under', value: 100, unit: 'ms' } },
    ];
  },
};

/** Each round has a relay of its own, since what it has not exported yet stays in its memory. */
async function measureQuiet(
  flooding: Agent,
  requests: readonly Buffer[],
  quiet: Agent,
  macaroon: string,
  effort: Effort,
): Promise<number> {
  const relay = await startRelay([], effort);
  const exportOnce = { port: relay.port, macaroons: [macaroon], data, pauseMs: 10 };
  await quiet.run('exportLatencies', { ...exportOnce, count: 50 });
  const flooded = flooding.run('hammer', {
    port: relay.port,
    connections: floodLanes,
    requests,
    durationMs: 6000 * effort.scale,
  });
  const { acceptedToArrived } = await quiet.run('exportLatencies', {
    ...exportOnce,
    count: Math.round(150 * effort.scale),
  });
  await flooded;
  await relay.program.kill();
  return quantile(acceptedToArrived, 0.99);
}

const hangingJobs = 1000;

export const hangingLane: Row = {
  name: 'hanging-lane',
  what: `${hangingJobs} jobs of one lane to a destination that never answers: other lanes' p99`,
  async measure(effort) {
    const agent = await Agent.start();
    const hanging = await Agent.start();
    const stuck = await hanging.run('openReceiver');
    const port = await agent.run('openReceiver');
    const free = await startRelay([], effort);
    const hindered = await startRelay([], effort);
    const uri = `http://127.0.0.1:${stuck}/never`;
    const request = post({
      path: '/export',
      macaroon: mint(stuck),
      body: submission(uri, data),
    });
    await hanging.run('hammer', {
      port: hindered.port,
      connections: 16,
      requests: [request],
      count: hangingJobs,
    });
    const [ours, theirs]: [number[], number[]] = [[], []];
    const macaroons = Array.from({ length: 16 }, (_, lane) => mint(port, `app-${lane}`));
    const measureLanes = async (port: number, into: number[], scale: number): Promise<void> => {
      const count = Math.round(400 * scale);
      const { sentToArrived } = await agent.run('exportLatencies', {
        port,
        macaroons,
        data,
        count,
        pauseMs: 2,
      });
      into.push(quantile(sentToArrived, 0.99));
    };
    for (const { port } of [free, hindered]) await measureLanes(port, [], 1);
    await alternate(
      effort.rounds,
      () => measureLanes(hindered.port, ours, effort.scale),
      () => measureLanes(free.port, theirs, effort.scale),
    );
    await hindered.program.kill();
    await free.program.stop();
    await agent.stop();
    await hanging.stop();
    const figure: Figure = {
      what: 'submit → receiver has it, against a relay without them',
      unit: 'ms',
      relay: ours,
      yardstick: theirs,
      compared: ratios(ours, theirs),
      bar: { kind: 'under', value: 1.2, unit: '×' },
    };
    return [figure];
  },
};
