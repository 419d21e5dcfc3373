import { type Socket, connect } from 'node:net';
import { ExportClient } from '../../helpers/export_client.js';
import { eventually } from '../../helpers/eventually.js';
import { Ledger } from '../../helpers/ledger.js';
import { mint, mintWith } from '../../helpers/relay.js';
import { RelayProcess } from '../../helpers/relay_process.js';
import type { Cleanup } from '../../helpers/scripted_destination.js';
import { pairedRatio } from './paired.js';
import { below, exactly, type Figure, type Scale, type Scenario, scratch } from './scenario.js';

const mb = 1024 ** 2;

/** A client of a relay that has no others. */
async function calmClient(t: Cleanup, flags: readonly string[]): Promise<ExportClient> {
  return new ExportClient((await RelayProcess.start(t, { journal: await scratch(t), flags })).url);
}

interface SlowClients {
  readonly sockets: readonly Socket[];
  readonly closed: () => number;
  release: () => void;
}

/** Connections that each send `head` at once and then a byte a second of a body that never ends, if they write. */
async function slowClients(
  t: Cleanup,
  url: string,
  count: number,
  send: (socket: Socket) => void,
): Promise<SlowClients> {
  let closed = 0;
  const sockets = Array.from({ length: count }, () =>
    connect(Number(new URL(url).port), '127.0.0.1')
      .on('error', () => undefined)
      .on('close', () => (closed += 1)),
  );
  const release = (): void => sockets.forEach((socket) => socket.destroy());
  t.teardown(release);
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
  sockets.forEach(send);
  return { sockets, closed: () => closed, release };
}

/** Time from the submission to the answer of a poll until Finished, for exports one after another. */
async function exportTimes(client: ExportClient, uri: string, count: number): Promise<readonly number[]> {
  const times: number[] = [];
  for (let number = 0; number < count; number += 1) {
    const begunAtMs = performance.now();
    const { json } = await client.submit(uri, '{}');
    await client.finished(json.id);
    times.push(performance.now() - begunAtMs);
  }
  return times;
}

async function readers(t: Cleanup, scale: Scale): Promise<readonly Figure[]> {
  const count = scale === 'full' ? 1000 : 30;
  const ledger = await Ledger.start(t);
  const big = Buffer.alloc(mb, 'x');
  ledger.answer = (response, { path }) => response.end(path === '/big' ? big : 'ok');
  const flags = ['--request-timeout=2s', '--max-memory=64mb'];
  const relay = await RelayProcess.start(t, { journal: await scratch(t), flags });
  const owner = mintWith({ identifier: 'slow' });
  const slow = new ExportClient(relay.url, { macaroon: owner });
  const uri = ledger.url.replace('/in', '/big');
  const { json } = await slow.submit(uri, '{}');
  await slow.finished(json.id);
  const body = JSON.stringify({ id: json.id });
  const head = `POST /export HTTP/1.1\r\nhost: relay\r\nx-api-key: ${owner}\r\ncontent-length: ${body.length}\r\n\r\n`;
  const { rss } = await relay.memory();
  // What a reader never takes stays in the system's buffers as far as it fits there, and then in the relay.
  const clients = await slowClients(t, relay.url, count, (socket) =>
    socket.pause().write((head + body).repeat(scale === 'full' ? 4 : 2)),
  );
  const ratio = await pairedRatio(scale, {
    calm: () => calmClient(t, flags),
    loaded: new ExportClient(relay.url),
    measure: (client, number) => exportTimes(client, ledger.url, number),
  });
  const { peak } = await relay.memory();
  const others = 40;
  await eventually(async () => (await relay.descriptors()) < others, 15_000).catch(() => undefined);
  const left = await relay.descriptors();
  const { status } = await slow.poll(json.id);
  clients.release();
  await slow.close();
  return [
    ratio,
    below(
      `RSS taken by ${count} readers who read nothing, --max-memory=64mb`,
      4 * 64,
      (peak - rss) / mb,
      ' MB',
    ),
    below('descriptors of the relay after some time, as it has cut them off', others, left),
    exactly('status of the next poll', 200, status),
  ];
}

async function writers(t: Cleanup, scale: Scale): Promise<readonly Figure[]> {
  const count = scale === 'full' ? 1000 : 30;
  const ledger = await Ledger.start(t);
  const flags = ['--request-timeout=2s'];
  const relay = await RelayProcess.start(t, { journal: await scratch(t), flags });
  const head = `POST /export HTTP/1.1\r\nhost: relay\r\nx-api-key: ${mint()}\r\ncontent-length: 100000\r\n\r\n`;
  const { rss } = await relay.memory();
  const begunAtMs = performance.now();
  const clients = await slowClients(t, relay.url, count, (socket) => {
    socket.write(head);
    const timer = setInterval(() => socket.write('x'), 1000);
    socket.once('close', () => clearInterval(timer)).resume();
  });
  const measuring = pairedRatio(scale, {
    calm: () => calmClient(t, flags),
    loaded: new ExportClient(relay.url),
    measure: (client, number) => exportTimes(client, ledger.url, number),
  });
  await eventually(() => clients.closed() === count, 15_000);
  const cutMs = performance.now() - begunAtMs;
  const { peak } = await relay.memory();
  const ratio = await measuring;
  return [
    ratio,
    below(`until ${count} slow writers were cut off, --request-timeout=2s`, 10_000, cutMs, ' ms'),
    below('RSS taken by them', 100, (peak - rss) / mb, ' MB'),
  ];
}

export const slow: readonly Scenario[] = [
  { id: 'r12', name: 'clients that do not read their answers cost others nothing', run: readers },
  { id: 'r12', name: 'clients that send their requests slowly are cut off', run: writers },
];
