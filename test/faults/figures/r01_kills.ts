import { setTimeout as delay } from 'node:timers/promises';
import { ExportClient } from '../../helpers/export_client.js';
import { eventually } from '../../helpers/eventually.js';
import { Ledger } from '../../helpers/ledger.js';
import { RelayProcess } from '../../helpers/relay_process.js';
import type { Cleanup } from '../../helpers/scripted_destination.js';
import { atLeast, below, exactly, type Figure, type Scale, type Scenario, scratch } from './scenario.js';

const clients = 8;

/** Submits without pause until the relay is gone; each accepted job goes into `accepted`. */
async function submitUntilGone(
  client: ExportClient,
  uri: string,
  nextData: () => string,
  accepted: Map<string, string>,
): Promise<void> {
  for (;;) {
    const data = nextData();
    try {
      const { status, json } = await client.submit(uri, data);
      if (status === 200) accepted.set(json.id, data);
    } catch {
      return;
    }
  }
}

/** How many of the jobs the relay does not know. */
async function unreadable(client: ExportClient, ids: readonly string[]): Promise<number> {
  let missing = 0;
  const queue = ids.values();
  const work = async (): Promise<void> => {
    for (const id of queue) if ((await client.poll(id)).status !== 200) missing += 1;
  };
  await Promise.all(Array.from({ length: clients }, work));
  return missing;
}

async function killLoop(t: Cleanup, scale: Scale): Promise<readonly Figure[]> {
  const asked = scale === 'full' ? { kills: 500, accepted: 50_000 } : { kills: 2, accepted: 1 };
  const journal = await scratch(t);
  const ledger = await Ledger.start(t);
  const accepted = new Map<string, string>();
  const flags = ['--max-kept=1000000', '--max-queued=1000000', '--max-queued-per-lane=1000000'];
  let [kills, lost, number] = [0, 0, 0];
  let lastRound: readonly string[] = [];
  while (kills < asked.kills || accepted.size < asked.accepted) {
    const relay = await RelayProcess.start(t, { journal, flags });
    const client = new ExportClient(relay.url, { connections: clients });
    lost += await unreadable(client, lastRound);
    const round = new Map<string, string>();
    const nextData = (): string => `{"number":${(number += 1)}}`;
    const submitting = Array.from({ length: clients }, () =>
      submitUntilGone(client, ledger.url, nextData, round),
    );
    // A relay that has accepted nothing yet has nothing to lose.
    await eventually(() => round.size > 0, 20_000);
    await delay(5 + Math.random() * (scale === 'full' ? 495 : 145));
    await relay.kill();
    await Promise.all(submitting);
    await client.close();
    kills += 1;
    for (const [id, data] of round) accepted.set(id, data);
    lastRound = [...round.keys()];
  }
  const relay = await RelayProcess.start(t, { journal, flags });
  const client = new ExportClient(relay.url, { connections: clients });
  lost += await unreadable(client, [...accepted.keys()]);
  let unfinished = 0;
  for (const id of accepted.keys()) {
    const { json } = await client.poll(id);
    if (json.state !== 'Finished' && (await client.finished(id)).json.state !== 'Finished') unfinished += 1;
  }
  const undelivered = [...accepted.keys()].filter((id) => ledger.count(id) === 0).length;
  const extra = ledger.arrivals - ledger.deliveries.size;
  await client.close();
  await relay.kill();
  return [
    atLeast('kills', asked.kills, kills),
    atLeast('jobs accepted', asked.accepted, accepted.size),
    exactly('accepted jobs lost', 0, lost),
    exactly('accepted jobs that never finished or never arrived', 0, unfinished + undelivered),
    exactly('arrivals with the data of another job', 0, ledger.wrong(accepted)),
    { what: 'deliveries repeated', asked: `≤ ${kills}`, seen: String(extra), met: extra <= kills },
  ];
}

async function startWithBacklog(t: Cleanup, scale: Scale): Promise<readonly Figure[]> {
  const [jobs, starts] = scale === 'full' ? [10_000, 5] : [2000, 2];
  const journal = await scratch(t);
  const ledger = await Ledger.start(t);
  ledger.answer = () => undefined;
  const flags = ['--max-queued=20000', '--max-queued-per-lane=20000'];
  let relay = await RelayProcess.start(t, { journal, flags });
  let client = new ExportClient(relay.url, { connections: 32 });
  const accepted = new Map<string, string>();
  const submit = async (): Promise<void> => {
    while (accepted.size < jobs) {
      const { json } = await client.submit(ledger.url, '{"pending":true}');
      accepted.set(json.id, json.state);
    }
  };
  await Promise.all(Array.from({ length: 32 }, submit));
  let slowestMs = 0;
  const [id = ''] = accepted.keys();
  for (let start = 0; start < starts; start += 1) {
    await relay.kill();
    await client.close();
    relay = await RelayProcess.start(t, { journal, flags });
    client = new ExportClient(relay.url);
    const { status } = await client.poll(id);
    if (status === 200) slowestMs = Math.max(slowestMs, performance.now() - relay.startedAtMs);
    else slowestMs = Infinity;
  }
  const lost = await unreadable(client, [...accepted.keys()]);
  await relay.kill();
  await client.close();
  return [
    below(
      `start of the process to the first 200, ${jobs} jobs pending, slowest of ${starts}`,
      2000,
      slowestMs,
      ' ms',
    ),
    exactly('pending jobs lost', 0, lost),
  ];
}

export const kills: readonly Scenario[] = [
  { id: 'r01', name: 'kill -9 at any moment loses no accepted job', run: killLoop },
  {
    id: 'r01',
    name: 'a relay with a backlog starts quickly after kill -9',
    fullOnly: true,
    run: startWithBacklog,
  },
];
