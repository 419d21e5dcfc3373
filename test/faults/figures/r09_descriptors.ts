import { spawnSync } from 'node:child_process';
import { type Socket, connect } from 'node:net';
import { request } from 'undici';
import { ExportClient } from '../../helpers/export_client.js';
import { eventually } from '../../helpers/eventually.js';
import { Ledger } from '../../helpers/ledger.js';
import { RelayProcess } from '../../helpers/relay_process.js';
import type { Cleanup } from '../../helpers/scripted_destination.js';
import { below, exactly, type Figure, type Scenario, scratch } from './scenario.js';

async function outOfDescriptors(t: Cleanup): Promise<readonly Figure[]> {
  const journal = await scratch(t);
  const ledger = await Ledger.start(t);
  const relay = await RelayProcess.start(t, { journal });
  // Not before it has started: the engine opens a program's modules side by side.
  spawnSync('prlimit', ['--pid', String(relay.pid), '--nofile=64:64']);
  const client = new ExportClient(relay.url, { connections: 1 });
  const accepted = new Map<string, string>();
  const submit = async (number: number): Promise<void> => {
    const data = `{"number":${number}}`;
    const { status, json } = await client.submit(ledger.url, data);
    if (status === 200) accepted.set(json.id, data);
  };
  // One that is connected before keeps being served.
  await submit(0);
  const { port } = new URL(relay.url);
  const sockets: Socket[] = Array.from({ length: 200 }, () =>
    connect(Number(port), '127.0.0.1').on('error', () => undefined),
  );
  await Promise.all(
    sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve).once('close', resolve))),
  );
  for (let number = 1; number <= 20; number += 1) await submit(number);
  const meanwhile = accepted.size;
  for (const socket of sockets) socket.destroy();
  const releasedAtMs = performance.now();
  await eventually(
    async () =>
      (await request(`${relay.adminUrl}/healthz`).then(
        async ({ statusCode, body }) => {
          await body.dump();
          return statusCode;
        },
        () => 0,
      )) === 200,
  );
  const healthyMs = performance.now() - releasedAtMs;
  await submit(21);
  let undelivered = 0;
  for (const id of accepted.keys()) {
    if (!(await client.delivered(id))) undelivered += 1;
  }
  await relay.kill();
  await client.close();
  const again = await RelayProcess.start(t, { journal });
  const after = new ExportClient(again.url);
  let lost = 0;
  for (const id of accepted.keys()) if ((await after.poll(id)).status !== 200) lost += 1;
  await after.close();
  return [
    exactly('submissions of a connected client accepted meanwhile', 21, meanwhile),
    exactly('accepted jobs not delivered', 0, undelivered),
    exactly('accepted jobs lost at a kill afterwards', 0, lost),
    below('from the release to a 200 of /healthz', 2000, healthyMs, ' ms'),
  ];
}

export const descriptors: readonly Scenario[] = [
  { id: 'r09', name: 'more connections than descriptors cost no job', run: outOfDescriptors },
];
