import { ExportClient } from '../../helpers/export_client.js';
import { Ledger } from '../../helpers/ledger.js';
import { mintWith } from '../../helpers/relay.js';
import { RelayProcess } from '../../helpers/relay_process.js';
import type { Cleanup } from '../../helpers/scripted_destination.js';
import { SilentServer } from '../../helpers/silent_server.js';
import { pairedRatio } from './paired.js';
import { exactly, type Figure, quantile, type Scale, type Scenario, scratch } from './scenario.js';

/** From the submission until the destination has it, in ms, of exports one after another. */
async function deliveryTimes(
  client: ExportClient,
  ledger: Ledger,
  exports: number,
): Promise<readonly number[]> {
  const times: number[] = [];
  for (let number = 0; number < exports; number += 1) {
    const begunAtMs = performance.now();
    const arrived = new Promise<number>((resolve) => {
      ledger.answer = (response) => {
        resolve(performance.now() - begunAtMs);
        response.end('ok');
      };
    });
    await client.submit(ledger.url, '{}');
    times.push(await arrived);
  }
  return times;
}

async function deadDestination(t: Cleanup, scale: Scale): Promise<readonly Figure[]> {
  const jobs = scale === 'full' ? 1000 : 200;
  const blackhole = await SilentServer.start();
  t.teardown(() => blackhole.close());
  const ledger = await Ledger.start(t);
  const relay = await RelayProcess.start(t, { journal: await scratch(t) });
  const stuck = new ExportClient(relay.url, { macaroon: mintWith({ identifier: 'stuck' }) });
  let accepted = 0;
  const uri = `http://${blackhole.authority}/in`;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (accepted < jobs) {
        accepted += 1;
        const { status } = await stuck.submit(uri, '{}');
        if (status !== 200) accepted = Infinity;
      }
    }),
  );
  const times: number[] = [];
  const ratio = await pairedRatio(scale, {
    calm: async () => new ExportClient((await RelayProcess.start(t, { journal: await scratch(t) })).url),
    loaded: new ExportClient(relay.url),
    measure: async (client, exports) => {
      const measured = await deliveryTimes(client, ledger, exports);
      times.push(...measured);
      return measured;
    },
  });
  const p99Ms = Math.round(quantile(times, 0.99) * 10) / 10;
  await stuck.close();
  return [
    exactly('jobs accepted for a destination that never answers', jobs, accepted),
    exactly('connections to it at most, one lane', 1, blackhole.open),
    {
      what: `deliveries of others, accepted until arrived, p99 of ${times.length}`,
      asked: '< 1000 ms',
      seen: `${p99Ms} ms`,
      met: p99Ms < 1000,
    },
    ratio,
  ];
}

export const deadLane: readonly Scenario[] = [
  { id: 'r13', name: 'a backlog for a dead destination delays nobody else', run: deadDestination },
];
