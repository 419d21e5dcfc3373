import { setTimeout as delay } from 'node:timers/promises';
import { ExportClient } from '../../helpers/export_client.js';
import { eventually } from '../../helpers/eventually.js';
import { Ledger } from '../../helpers/ledger.js';
import { mintWith } from '../../helpers/relay.js';
import { RelayProcess } from '../../helpers/relay_process.js';
import type { Cleanup } from '../../helpers/scripted_destination.js';
import { atLeast, below, exactly, type Figure, type Scale, type Scenario, scratch } from './scenario.js';

const mb = 1024 ** 2;
/** What the relay may use in all. Most of it is the engine's, so that its `--max-memory` is far below. */
const capMb = 192;
const nodeFlags = ['--max-old-space-size=128', '--max-semi-space-size=4'];
const flags = ['--max-memory=8mb', '--max-queued=20000', '--attempt-timeout=10m'];

interface Load {
  readonly accepted: readonly { readonly id: string; readonly client: ExportClient }[];
  /** How often each refusal was given. */
  readonly refusals: ReadonlyMap<string, number>;
}

async function submitAll(clients: readonly ExportClient[], uri: string, jobs: number): Promise<Load> {
  const data = `{"text":"${'x'.repeat(64 * 1024)}"}`;
  const accepted: { readonly id: string; readonly client: ExportClient }[] = [];
  const refusals = new Map<string, number>();
  let sent = 0;
  const submit = async (client: ExportClient): Promise<void> => {
    while (sent < jobs) {
      sent += 1;
      const { status, json, retryAfter } = await client.submit(uri, data);
      if (status === 200) accepted.push({ id: json.id, client });
      else {
        const told = `${status} ${json.code ?? ''}${Number(retryAfter) > 0 ? '' : ' without Retry-After'}`;
        refusals.set(told, (refusals.get(told) ?? 0) + 1);
      }
    }
  };
  await Promise.all(clients.map(submit));
  return { accepted, refusals };
}

/** Ends the jobs; resolves to how many of them the relay did not know. */
async function cancelAll({ accepted }: Load): Promise<number> {
  let lost = 0;
  for (const { id, client } of accepted) {
    if ((await client.poll(id)).status !== 200) lost += 1;
    await client.post('/export', { id, action: 'cancel' });
  }
  return lost;
}

async function backlog(t: Cleanup, scale: Scale): Promise<readonly Figure[]> {
  const jobs = scale === 'full' ? 10_000 : 300;
  const ledger = await Ledger.start(t);
  ledger.answer = () => undefined;
  const relay = await RelayProcess.start(t, {
    journal: await scratch(t),
    nodeFlags,
    flags: [...flags, '--concurrency=64'],
  });
  const owners = Array.from({ length: 20 }, (_, number) => mintWith({ identifier: `app ${number}` }));
  const clients = owners.map((macaroon) => new ExportClient(relay.url, { macaroon, connections: 1 }));
  const first = await submitAll(clients, ledger.url, jobs);
  const lost = await cancelAll(first);
  // What the engine has taken for its heap it keeps; a second load must not need more.
  const base = (await relay.memory()).rss;
  const second = await submitAll(clients, ledger.url, jobs);
  const lostAgain = await cancelAll(second);
  const after = await settledRss(relay, base * 1.2);
  const { peak } = await relay.memory();
  await Promise.all(clients.map((client) => client.close()));
  const refusals = [...first.refusals, ...second.refusals];
  const other = refusals.filter(([told]) => told !== '503 queue_full' && told !== '429 lane_full');
  const { status } = await relay.stop();
  const accepted = first.accepted.length + second.accepted.length;
  return [
    exactly(
      `of ${2 * jobs} jobs, neither accepted nor refused with 503 or 429 and Retry-After`,
      0,
      other.length,
    ),
    atLeast('of them, refused', 1, 2 * jobs - accepted),
    exactly('accepted jobs lost', 0, lost + lostAgain),
    below(`RSS at most, of a cap of ${capMb} MB`, Math.round(capMb * 0.8), peak / mb, ' MB'),
    below('RSS after the second load has gone, to RSS after the first had', 1.2, after / base),
    exactly('exit status of a stop afterwards', 0, status ?? -1),
  ];
}

/** Resident memory once it is below this, or after some time. */
async function settledRss(relay: RelayProcess, wanted: number): Promise<number> {
  for (let second = 0; second < 5; second += 1) {
    if ((await relay.memory()).rss < wanted) break;
    await delay(1000);
  }
  return (await relay.memory()).rss;
}

async function oversizedAnswers(t: Cleanup, scale: Scale): Promise<readonly Figure[]> {
  const jobs = scale === 'full' ? 500 : 8;
  const ledger = await Ledger.start(t);
  const block = Buffer.alloc(8 * mb, 'x');
  ledger.answer = (response) => response.end(block);
  const relay = await RelayProcess.start(t, {
    journal: await scratch(t),
    nodeFlags,
    flags: [...flags, '--max-response=256kb', '--concurrency=4'],
  });
  const clients = Array.from(
    { length: 8 },
    (_, number) =>
      new ExportClient(relay.url, { macaroon: mintWith({ identifier: `app ${number}` }), connections: 1 }),
  );
  let [sent, answered] = [0, 0];
  await Promise.all(
    clients.map(async (client) => {
      while (sent < jobs) {
        sent += 1;
        const { json } = await client.submit(ledger.url, '{}');
        const end = await client.finished(json.id);
        if (end.json.ext_response.status === '200 OK' && end.json.ext_response.truncated === true)
          answered += 1;
      }
    }),
  );
  const { peak } = await relay.memory();
  await Promise.all(clients.map((client) => client.close()));
  await eventually(() => ledger.arrivals === jobs);
  return [
    exactly('jobs finished with the answer, cut off', jobs, answered),
    below(`RSS at most, of a cap of ${capMb} MB`, Math.round(capMb * 0.8), peak / mb, ' MB'),
  ];
}

export const memory: readonly Scenario[] = [
  { id: 'r07', name: 'more jobs than fit in memory are refused, and memory comes back', run: backlog },
  { id: 'r07', name: 'answers larger than memory are cut off', run: oversizedAnswers },
];
