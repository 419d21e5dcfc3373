import { ExportClient } from '../../helpers/export_client.js';
import { Ledger } from '../../helpers/ledger.js';
import { mintWith } from '../../helpers/relay.js';
import { RelayProcess } from '../../helpers/relay_process.js';
import type { Cleanup } from '../../helpers/scripted_destination.js';
import { below, exactly, type Figure, quantile, type Scale, type Scenario, scratch } from './scenario.js';

const attempts = 4;
const baseMs = 500;

/** One job whose destination fails so often, and when its attempts came. */
async function journey(
  t: Cleanup,
  relay: RelayProcess,
  failures: number,
  kind: 'status' | 'network',
): Promise<{
  readonly id: string;
  readonly times: readonly number[];
  readonly keys: number;
  readonly good: boolean;
}> {
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
  return { id: json.id, times, keys: ledger.deliveries.size, good };
}

async function schedule(t: Cleanup, scale: Scale): Promise<readonly Figure[]> {
  const repeats = scale === 'full' ? 30 : 1;
  const relay = await RelayProcess.start(t, { journal: await scratch(t), logLevel: 'info' });
  const journeys: Awaited<ReturnType<typeof journey>>[] = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const round = [0, 1, 2, 3, 4].flatMap((failures) => [
      journey(t, relay, failures, 'status'),
      journey(t, relay, failures, 'network'),
    ]);
    journeys.push(...(await Promise.all(round)));
  }
  const planned = plannedDelays(relay.stdout);
  await relay.kill();
  const lateMs = journeys.flatMap(({ id, times }) =>
    times.slice(1).map((at, retry) => at - (times[retry] ?? 0) - (planned.get(`${id} ${retry + 1}`) ?? NaN)),
  );
  const early = lateMs.filter((ms) => !(ms > -5)).length;
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
    ...[1, 2, 3].flatMap((attempt) => {
      const delays = [...planned].flatMap(([key, ms]) => (key.endsWith(` ${attempt}`) ? [ms] : []));
      const mostMs = baseMs * 2 ** (attempt - 1);
      const mean = delays.reduce((sum, ms) => sum + ms, 0) / delays.length / mostMs;
      // Full jitter: anywhere between nothing and the most, half of it on average.
      return [
        below(
          `longest of ${delays.length} delays before attempt ${attempt + 1}`,
          mostMs + 1,
          Math.max(...delays),
          ' ms',
        ),
        {
          what: 'their mean, to the longest there may be',
          asked: '0.5 ± 0.1',
          seen: mean.toFixed(2),
          met: Math.abs(mean - 0.5) < 0.1,
        },
      ];
    }),
    exactly(`of ${lateMs.length} attempts, before their time`, 0, early),
    below('median of how late they came', 100, quantile(lateMs, 0.5), ' ms'),
  ];
}

/** The delay after each attempt that another one follows, by job and attempt, as the log has it. */
function plannedDelays(log: string): ReadonlyMap<string, number> {
  const planned = new Map<string, number>();
  for (const line of log.split('\n')) {
    if (!line.includes('"msg":"attempt"')) continue;
    const { job_id, attempt, retry_in_ms } = JSON.parse(line) as {
      readonly job_id: string;
      readonly attempt: number;
      readonly retry_in_ms?: number;
    };
    if (retry_in_ms !== undefined) planned.set(`${job_id} ${attempt}`, retry_in_ms);
  }
  return planned;
}

export const retries: readonly Scenario[] = [
  {
    id: 'r19',
    name: 'attempts come as often and as far apart as documented',
    fullOnly: true,
    run: schedule,
  },
];
