import { Agent } from '../harness/agent.js';
import type { Effort, Row } from '../harness/row.js';
import { startRelay } from '../harness/servers.js';
import { quantile } from '../harness/summary.js';
import { mint, payload, post, question, submission } from '../load/requests.js';

const heldPolls = 10_000;
const kib = 1024;

/** What one round of held long polls gives. */
export interface HeldPolls {
  /** Of the relay, for each long poll and its connection. */
  readonly rssKib: number;
  /** From the destination's answer until the last long poll was answered. */
  readonly wokenMs: number;
  /** Of POSTs that come meanwhile. */
  readonly postMs: readonly number[];
}

/** One job's long polls on as many connections, held until its destination answers. */
export async function holdPolls(count: number, effort: Effort): Promise<HeldPolls> {
  const holding = await Agent.start();
  const asking = await Agent.start();
  const relay = await startRelay([`--max-waiters=${count}`, `--max-connections=${count + 100}`], effort);
  const receiverPort = await holding.run('openReceiver');
  const macaroon = mint(receiverPort);
  const uri = `http://127.0.0.1:${receiverPort}/held`;
  const submit = post({ path: '/export', macaroon, body: submission(uri, payload(100)) });
  const id = await asking.run('submitOne', { port: relay.port, request: submit });
  const ask = post({ path: '/export', macaroon, body: question(id) });
  await asking.run('hammer', { port: relay.port, connections: 16, requests: [ask], durationMs: 1000 });
  const before = await relay.program.usage({ collect: true });
  await holding.run('hold', { port: relay.port, count });
  const request = post({ path: '/lp/export?until=Finished&timeout=55', macaroon, body: question(id) });
  await holding.run('startHolding', { request });
  // The relay answers in the order in which requests come, give or take a turn of its event loop.
  const settle = await asking.run('paced', { port: relay.port, request: ask, count: 20, everyMs: 10 });
  if (settle.length === 0) throw new Error('the relay answers nothing');
  const after = await relay.program.usage({ collect: true });
  const postMs = await asking.run('paced', { port: relay.port, request: ask, count: 300, everyMs: 10 });
  const wokenMs = await holding.run('releaseHeld');
  await relay.program.stop();
  await holding.stop();
  await asking.stop();
  return { rssKib: (after.rssBytes - before.rssBytes) / count / kib, wokenMs, postMs };
}

export const heldPollsRow: Row = {
  name: 'held-polls',
  what: `${heldPolls} held long polls`,
  async measure(effort) {
    const [rssKib, wokenS, postMs]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < effort.rounds; round += 1) {
      const held = await holdPolls(Math.round(heldPolls * effort.scale), effort);
      rssKib.push(held.rssKib);
      wokenS.push(held.wokenMs / 1000);
      postMs.push(quantile(held.postMs, 0.99));
    }
    return [
      {
        what: 'RSS for each, its connection included',
        unit: 'KiB',
        relay: rssKib,
        compared: rssKib,
        bar: { kind: 'under', value: 25, unit: 'KiB' },
      },
      {
        what: 'all woken',
        unit: 's',
        relay: wokenS,
        compared: wokenS,
        bar: { kind: 'under', value: 2, unit: 's' },
      },
      {
        what: 'a POST meanwhile, p99',
        unit: 'ms',
        relay: postMs,
        compared: postMs,
        bar: { kind: 'under', value: 50, unit: 'ms' },
      },
    ];
  },
};
