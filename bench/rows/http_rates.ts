import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent } from '../harness/agent.js';
import type { Program } from '../harness/program.js';
import { type Effort, type Figure, type Row, alternate, ratios } from '../harness/row.js';
import { type Server, startBareKoa, startRelay } from '../harness/servers.js';
import { Client } from '../load/client.js';
import { mint, payload, post, question, submission } from '../load/requests.js';

const connections = 64;
const measuredMs = 3000;
const warmUpMs = 2500;
/** Before each measurement: for a while after a forced collection of garbage requests take twice as long. */
const leadInMs = 800;
const dataBytes = 1024;

/** Requests a second over all rounds, and what each took of the server's processor. */
interface Rates {
  readonly perSecond: number[];
  readonly cpuMicros: number[];
}

const noRates = (): Rates => ({ perSecond: [], cpuMicros: [] });

async function measureRate(
  agent: Agent,
  { program, port }: Server,
  request: Buffer,
  durationMs: number,
  into: Rates,
): Promise<void> {
  const load = { port, connections, requests: [request] };
  await program.usage({ collect: true });
  await agent.run('hammer', { ...load, durationMs: leadInMs });
  const before = await program.usage();
  const { answered, durationMs: tookMs } = await agent.run('hammer', { ...load, durationMs });
  const after = await program.usage();
  into.perSecond.push((answered * 1000) / tookMs);
  into.cpuMicros.push((after.cpuMicros - before.cpuMicros) / answered);
}

async function warmUp(agent: Agent, { port }: Server, request: Buffer): Promise<void> {
  await agent.run('hammer', { port, connections, requests: [request], durationMs: warmUpMs });
}

function rateFigure(relay: Rates, yardstick: Rates, atLeast: number): Figure {
  return {
    what: '',
    unit: 'per s',
    relay: relay.perSecond,
    yardstick: yardstick.perSecond,
    compared: ratios(relay.perSecond, yardstick.perSecond),
    bar: { kind: 'at least', value: atLeast, unit: '×' },
    cpuMicros: { relay: relay.cpuMicros, yardstick: yardstick.cpuMicros },
  };
}

/** The bytes that the relay answers a request with. */
async function answerOf({ port }: Server, request: Buffer): Promise<string> {
  const client = await Client.open(port);
  const { status, body } = await client.send(request);
  client.close();
  if (status !== 200) throw new Error(`the relay answered ${status}: ${body}`);
  return body;
}

async function stopAll(agent: Agent, ...programs: readonly Program[]): Promise<void> {
  await agent.stop();
  for (const program of programs) await program.stop();
}

/** The id of a new job that ends at once, and is polled until it has. */
async function finishedJob(relay: Server, agent: Agent, macaroon: string): Promise<string> {
  const uri = `http://127.0.0.1:${await agent.run('openReceiver')}/in`;
  const submitted = await answerOf(
    relay,
    post({ path: '/export', macaroon, body: submission(uri, payload(dataBytes)) }),
  );
  const id = /"id":"([^"]+)"/.exec(submitted)?.[1] ?? '';
  await answerOf(relay, post({ path: '/lp/export?until=Finished&timeout=30', macaroon, body: question(id) }));
  return id;
}

export const polls: Row = {
  name: 'polls',
  what: `polls/s with macaroon, ${connections} connections`,
  async measure(effort) {
    const agent = await Agent.start();
    const relay = await startRelay([], effort);
    const macaroon = mint(await agent.run('openReceiver'));
    const id = await finishedJob(relay, agent, macaroon);
    const request = post({ path: '/export', macaroon, body: question(id) });
    const koa = await startBareKoa(await answerOf(relay, request), '"3"');
    const [ours, theirs] = [noRates(), noRates()];
    await warmUp(agent, relay, request);
    await warmUp(agent, koa, request);
    await alternate(
      effort.rounds,
      () => measureRate(agent, relay, request, measuredMs * effort.scale, ours),
      () => measureRate(agent, koa, request, measuredMs * effort.scale, theirs),
    );
    await stopAll(agent, relay.program, koa.program);
    return [rateFigure(ours, theirs, 0.85)];
  },
};

/**
 * Submissions alone: to a destination that never answers, so that all jobs but the lane's first stay Pending. Each
 * round has a relay of its own, since its jobs stay in its memory.
 */
async function measureSubmissions(
  agent: Agent,
  flags: readonly string[],
  effort: Effort,
  into: Rates,
): Promise<void> {
  const relay = await startRelay(flags, effort);
  const request = await pendingSubmission(agent);
  await warmUp(agent, relay, request);
  await measureRate(agent, relay, request, measuredMs * effort.scale, into);
  await relay.program.kill();
}

async function pendingSubmission(agent: Agent): Promise<Buffer> {
  const port = await agent.run('openReceiver');
  const body = submission(`http://127.0.0.1:${port}/never`, payload(dataBytes));
  return post({ path: '/export', macaroon: mint(port), body });
}

export const submissions: Row = {
  name: 'submissions',
  what: `submissions/s, ${connections} connections, ${dataBytes} bytes`,
  async measure(effort) {
    const agent = await Agent.start();
    const request = await pendingSubmission(agent);
    const first = await startRelay();
    const koa = await startBareKoa(await answerOf(first, request), '"1"');
    await first.program.kill();
    await warmUp(agent, koa, request);
    const [ours, theirs] = [noRates(), noRates()];
    await alternate(
      effort.rounds,
      () => measureSubmissions(agent, [], effort, ours),
      () => measureRate(agent, koa, request, measuredMs * effort.scale, theirs),
    );
    await stopAll(agent, koa.program);
    return [rateFigure(ours, theirs, 0.7)];
  },
};

export const journalledSubmissions: Row = {
  name: 'submissions-journal',
  what: `submissions/s with the journal, against without`,
  async measure(effort) {
    const agent = await Agent.start();
    const directory = await mkdtemp(join(tmpdir(), 'relay-bench-'));
    const [ours, theirs] = [noRates(), noRates()];
    let journals = 0;
    await alternate(
      effort.rounds,
      () =>
        measureSubmissions(agent, [`--journal=${join(directory, String((journals += 1)))}`], effort, ours),
      () => measureSubmissions(agent, [], effort, theirs),
    );
    await stopAll(agent);
    await rm(directory, { recursive: true });
    return [rateFigure(ours, theirs, 0.7)];
  },
};
