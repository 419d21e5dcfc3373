import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { ExportClient } from '../../helpers/export_client.js';
import { Ledger } from '../../helpers/ledger.js';
import { mint } from '../../helpers/relay.js';
import { RelayProcess } from '../../helpers/relay_process.js';
import type { Cleanup } from '../../helpers/scripted_destination.js';
import { below, exactly, type Figure, type Scale, type Scenario, scratch } from './scenario.js';

const patienceMs = 10_000;

/** How many of these jobs are not Finished with the destination's answer at a relay that starts on the journal. */
async function undelivered(t: Cleanup, journal: string, ids: Iterable<string>): Promise<number> {
  const relay = await RelayProcess.start(t, { journal });
  const client = new ExportClient(relay.url);
  let missing = 0;
  for (const id of ids) {
    if (!(await client.delivered(id))) missing += 1;
  }
  await client.close();
  await relay.kill();
  return missing;
}

async function underLoad(t: Cleanup, scale: Scale): Promise<readonly Figure[]> {
  const stops = scale === 'full' ? 200 : 1;
  const journal = await scratch(t);
  const ledger = await Ledger.start(t);
  const accepted = new Map<string, string>();
  let [clean, slowestMs, otherAnswers, number] = [0, 0, 0, 0];
  for (let stop = 0; stop < stops; stop += 1) {
    ledger.answer = (response) => void setTimeout(() => response.end('ok'), Math.random() * 5);
    const flags = ['--lane-concurrency=8', '--max-queued-per-lane=5000'];
    const relay = await RelayProcess.start(t, { journal, flags });
    const client = new ExportClient(relay.url);
    const submit = async (): Promise<void> => {
      for (;;) {
        const data = `{"number":${(number += 1)}}`;
        try {
          const { status, json } = await client.submit(ledger.url, data);
          if (status === 200) accepted.set(json.id, data);
          else if (json.code === 'lane_full') await delay(50);
          else if (json.code !== 'shutting_down') otherAnswers += 1;
        } catch {
          return;
        }
      }
    };
    const submitting = Array.from({ length: 8 }, submit);
    await delay(Math.random() * 200);
    const { status, signal, afterMs } = await relay.stop();
    if (status === 0 && signal === null) clean += 1;
    slowestMs = Math.max(slowestMs, afterMs);
    await Promise.all(submitting);
    await client.close();
  }
  ledger.answer = (response) => response.end('ok');
  const missing = await undelivered(t, journal, accepted.keys());
  return [
    exactly('stops that ended with status 0', stops, clean),
    below('slowest of them', patienceMs, slowestMs, ' ms'),
    exactly('answers other than 200, shutting_down and lane_full', 0, otherAnswers),
    exactly(`of ${accepted.size} accepted jobs, not delivered by a later start`, 0, missing),
    exactly('jobs that a later start delivered again', 0, ledger.arrivals - ledger.deliveries.size),
    exactly('arrivals with the data of another job', 0, ledger.wrong(accepted)),
  ];
}

/** A relay with an attempt at a destination that hangs, and everything else that can hold up a stop. */
async function hung(t: Cleanup, journal: string) {
  const ledger = await Ledger.start(t);
  ledger.answer = () => undefined;
  const relay = await RelayProcess.start(t, { journal });
  const client = new ExportClient(relay.url, { connections: 40 });
  const ids: string[] = [];
  for (let number = 0; number < 10; number += 1) {
    ids.push((await client.submit(ledger.url, `{"number":${number}}`)).json.id);
  }
  await ledger.arrived(1);
  return { ledger, relay, client, ids };
}

async function hungDestination(t: Cleanup): Promise<readonly Figure[]> {
  const journal = await scratch(t);
  const { ledger, relay, client, ids } = await hung(t, journal);
  const polls = ids.map((id) =>
    client.post('/lp/export?until=Finished&timeout=55', { id }).then(
      ({ status }) => status === 200,
      () => false,
    ),
  );
  const socket = new WebSocket(relay.url.replace('http', 'ws') + '/ws/export', {
    headers: { 'x-api-key': mint() },
  });
  await once(socket, 'open');
  const socketClosed = once(socket, 'close');
  const halfSent = connect(Number(new URL(relay.url).port), '127.0.0.1').on('error', () => undefined);
  halfSent.write(
    `POST /export HTTP/1.1\r\nhost: relay\r\nx-api-key: ${mint()}\r\ncontent-length: 10\r\n\r\n{`,
  );
  await delay(50);
  const stopped = relay.stop();
  const answered = (await Promise.all(polls)).filter((good) => good).length;
  const refused = await client.submit(ledger.url, '{}');
  const { status, afterMs } = await stopped;
  const [code] = (await socketClosed) as [number];
  await client.close();
  ledger.answer = (response) => response.end('ok');
  const missing = await undelivered(t, journal, ids);
  return [
    exactly('exit status', 0, status ?? -1),
    below('until then', patienceMs, afterMs, ' ms'),
    exactly('held long polls answered', ids.length, answered),
    exactly('code with which the WebSocket was closed', 1001, code),
    exactly('status of a submission meanwhile', 503, refused.status),
    exactly('accepted jobs not delivered by the next start', 0, missing),
  ];
}

async function twice(t: Cleanup): Promise<readonly Figure[]> {
  const journal = await scratch(t);
  const { ledger, relay, client, ids } = await hung(t, journal);
  relay.signal('SIGTERM');
  while ((await client.submit(ledger.url, '{}')).status === 200);
  const { status, afterMs } = await relay.stop();
  await client.close();
  ledger.answer = (response) => response.end('ok');
  const missing = await undelivered(t, journal, ids);
  return [
    exactly('exit status after a second SIGTERM', 143, status ?? -1),
    below('until then', 1000, afterMs, ' ms'),
    exactly('accepted jobs not delivered by the next start', 0, missing),
  ];
}

async function duringStart(t: Cleanup, scale: Scale): Promise<readonly Figure[]> {
  const starts = scale === 'full' ? 100 : 2;
  const journal = await scratch(t);
  const { ledger, relay, client, ids } = await hung(t, journal);
  await relay.kill();
  await client.close();
  const whole = await RelayProcess.start(t, { journal });
  const startMs = performance.now() - whole.startedAtMs;
  await whole.kill();
  let [stopped, ended, other] = [0, 0, 0];
  for (let start = 0; start < starts; start += 1) {
    const next = RelayProcess.spawn(t, { journal });
    await delay(Math.random() * startMs);
    ledger.answer = (response) => response.end('ok');
    const { status, signal } = await next.stop();
    if (status === 0) stopped += 1;
    // Before the program has begun to run, a signal does what it does to every process.
    else if (signal === 'SIGTERM' && !next.stdout.includes('listening')) ended += 1;
    else other += 1;
  }
  const missing = await undelivered(t, journal, ids);
  return [
    exactly(
      `of ${starts}, ended otherwise than with 0 (${stopped}) or, before it had begun, by the signal (${ended})`,
      0,
      other,
    ),
    exactly('accepted jobs not delivered by the next start', 0, missing),
  ];
}

export const stops: readonly Scenario[] = [
  { id: 'r15', name: 'SIGTERM under load loses nothing and repeats nothing', run: underLoad },
  {
    id: 'r15',
    name: 'SIGTERM does not wait for ever for a destination that hangs, nor for held polls and sockets',
    run: hungDestination,
  },
  { id: 'r15', name: 'a second SIGTERM ends the relay at once', run: twice },
  { id: 'r15', name: 'SIGTERM while the relay starts ends it', run: duringStart },
];
