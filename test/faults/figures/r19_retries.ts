import { ExportClient } from '../../helpers/export_client.js';
import { Ledger } from '../../helpers/ledger.js';
import { mintWith } from '../../helpers/relay.js';
import { RelayProcess } from '../../helpers/relay_process.js';
import type { Cleanup } from '../../helpers/scripted_destination.js';
import { below, exactly, type Figure, type Scale, type Scenario, scratch } from './scenario.js';

const attempts = 4;
const baseMs = 500;
/** What an attempt may take from its beginning until it is here, on a busy machine. */
const wayMs = 100;

/** One job whose destination fails so often, and when its attempts came. */
async function journey(
  t: Cleanup,
  relay: RelayProcess,
  failures: number,
  kind: 'status' | 'network',
): Promise<{ readonly times: readonly number[]; readonly keys: number; readonly good: boolean }> {
  const ledger = await Ledger.start(t);
  const times: number[] = [];
  ledger.answer = (response) => {
    times.push(performance.now());
    if (times.length > failures) response.end('ok');
    else if (kind === 'network') response.destroy();
    else response.writeHead(503).end();
  };
  const macaroon = mintWith({ identifier: `${kind} ${failures}` });
  const client = new ExportClient(relay.url, { macaroon, connections: 1 });
  const { json } = await client.submit(ledger.url, '{"retried":true}');
  const end = (await client.finished(json.id)).json;
  await client.close();
  const failed = kind === 'network' ? '502 Bad Gateway' : '503 Service Unavailable';
  const good =
    end.ext_response.status === (failures < attempts ? '200 OK' : failed) &&
    end.attempts === Math.min(failures + 1, attempts) &&
    times.length === end.attempts;
  return { times, keys: ledger.deliveries.size, good };
}

async function schedule(t: Cleanup, scale: Scale): Promise<readonly Figure[]> {
  const repeats = scale === 'full' ? 20 : 1;
  const relay = await RelayProcess.start(t, { journal: await scratch(t) });
  const journeys: Awaited<ReturnType<typeof journey>>[] = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const round = [0, 1, 2, 3, 4].flatMap((failures) => [
      journey(t, relay, failures, 'status'),
      journey(t, relay, failures, 'network'),
    ]);
    journeys.push(...(await Promise.all(round)));
  }
  const waits = [0, 1, 2].map((retry) =>
    journeys.flatMap(({ times }) => {
      const [before, at] = [times[retry], times[retry + 1]];
      return before === undefined || at === undefined ? [] : [at - before];
    }),
  );
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  await relay.kill();
  return [
    exactly(
      'jobs with another number of attempts or another end than documented',
      0,
      journeys.filter(({ good }) => !good).length,
    ),
    exactly(
      'jobs whose attempts had more than one Idempotency-Key',
      0,
      journeys.filter(({ keys }) => keys !== 1).length,
    ),
    ...waits.map((values, retry) => {
      const most = baseMs * 2 ** retry;
      return below(
        `longest of ${values.length} waits before attempt ${retry + 2}`,
        1.2 * most + wayMs,
        Math.max(...values),
        ' ms',
      );
    }),
    // Full jitter: anywhere between nothing and the most, half of it on average.
    ...(scale === 'full'
      ? waits.map((values, retry) => {
          const ratio = mean(values) / (baseMs * 2 ** retry);
          return {
            what: `mean wait before attempt ${retry + 2}, of the longest`,
            asked: '0.5 ± 0.1',
            seen: ratio.toFixed(2),
            met: Math.abs(ratio - 0.5) < 0.1,
          };
        })
      : []),
  ];
}

export const retries: readonly Scenario[] = [
  {
    id: 'r19',
    name: 'attempts come as often and as far apart as documented',
    fullOnly: true,
    run: schedule,
  },
];
