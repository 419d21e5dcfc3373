import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { ExportClient } from '../../helpers/export_client.js';
import { eventually } from '../../helpers/eventually.js';
import { Ledger } from '../../helpers/ledger.js';
import { RelayProcess } from '../../helpers/relay_process.js';
import type { Cleanup } from '../../helpers/scripted_destination.js';
import { below, exactly, type Figure, type Scale, type Scenario, scratch } from './scenario.js';

/** What happens to the wall clock: at once, and again and again every second. */
interface Jump {
  readonly name: string;
  readonly atOnceMs: number;
  readonly everySecondMs: number;
}

const hour = 3_600_000;
const jumps: readonly Jump[] = [
  { name: 'an hour forward, and back every second', atOnceMs: hour, everySecondMs: -2000 },
  { name: 'an hour forward', atOnceMs: hour, everySecondMs: 0 },
  { name: 'an hour back', atOnceMs: -hour, everySecondMs: 0 },
  { name: 'ten years forward', atOnceMs: 87_600 * hour, everySecondMs: 0 },
];

/** Both waits that are measured, in seconds. */
const waitSeconds = 3;

/** What one relay did whose wall clock jumped. */
interface Seen {
  /** How far both waits were from what they should have been. */
  readonly errorsMs: readonly number[];
  readonly unreadLost: number;
  readonly unreadLostAtRestart: number;
  readonly repeatedIds: number;
  /** Share of a processor that the relay took while it had nothing to do. */
  readonly busy: number;
}

async function live(t: Cleanup, jump: Jump, jobs: number): Promise<Seen> {
  const ledger = await Ledger.start(t);
  const journal = await scratch(t);
  const attemptsAtMs: number[] = [];
  ledger.answer = (response, { path }) => {
    if (path === '/busy') {
      attemptsAtMs.push(performance.now());
      response.writeHead(503, { 'retry-after': String(waitSeconds) }).end();
    } else if (path !== '/silent') response.end('ok');
  };
  const at = (path: string): string => ledger.url.replace('/in', path);
  // Whoever sets the clock back by as much as results are kept makes them that much older for the next start.
  const flags = ['--result-ttl=2h', '--lane-concurrency=2', '--attempts=2'];
  const start = (): Promise<RelayProcess> => RelayProcess.start(t, { journal, interposed: true, flags });
  let relay = await start();
  let client = new ExportClient(relay.url);
  const ids: string[] = [];
  const submitSome = async (): Promise<void> => {
    for (let number = 0; number < jobs; number += 1) {
      ids.push((await client.submit(ledger.url, '{}')).json.id);
    }
  };
  await submitSome();
  const silent = await client.submit(at('/silent'), '{}');
  await eventually(() => ledger.arrivals === jobs + 1);
  const held = client.post(`/lp/export?until=Finished&timeout=${waitSeconds}`, { id: silent.json.id });
  await client.submit(at('/busy'), '{}');
  await eventually(() => attemptsAtMs.length === 1);
  await relay.order({ kind: 'clock', atOnceMs: jump.atOnceMs, everySecondMs: jump.everySecondMs });
  await submitSome();
  const { afterMs } = await held;
  await eventually(() => attemptsAtMs.length === 2);
  const [first = 0, second = 0] = attemptsAtMs;
  const busy = await busyShare(relay);
  const unreadLost = await missing(client, ids);
  await relay.kill();
  await client.close();
  // As if the clock had been set right while the relay was down.
  relay = await start();
  client = new ExportClient(relay.url);
  const unreadLostAtRestart = await missing(client, ids);
  await client.close();
  await relay.kill();
  return {
    errorsMs: [afterMs, second - first].map((took) => Math.abs(took - waitSeconds * 1000)),
    unreadLost,
    unreadLostAtRestart,
    repeatedIds: ids.length - new Set(ids).size,
    busy,
  };
}

async function missing(client: ExportClient, ids: readonly string[]): Promise<number> {
  let lost = 0;
  for (const id of ids) if (!(await client.delivered(id))) lost += 1;
  return lost;
}

async function busyShare({ pid }: RelayProcess): Promise<number> {
  /** Hundredths of a second in user and kernel mode: fields 14 and 15 of proc(5). */
  const ticks = async (): Promise<number> => {
    const fields = (await readFile(`/proc/${pid}/stat`, 'latin1')).replace(/^.*\) /, '').split(' ');
    return Number(fields[11]) + Number(fields[12]);
  };
  const [before, beganAtMs] = [await ticks(), performance.now()];
  await delay(1000);
  return ((await ticks()) - before) / ((performance.now() - beganAtMs) / 10);
}

async function jumpingClocks(t: Cleanup, scale: Scale): Promise<readonly Figure[]> {
  const played = scale === 'full' ? jumps : jumps.slice(0, 1);
  // In short, beside other tests, only that no wait ends with the jump.
  const bound = scale === 'full' ? 100 : 1500;
  const seen: Seen[] = [];
  for (const jump of played) seen.push(await live(t, jump, scale === 'full' ? 500 : 10));
  const sum = (count: (one: Seen) => number): number => seen.reduce((all, one) => all + count(one), 0);
  const worst = (of: (one: Seen) => number): number => Math.max(...seen.map(of));
  return [
    exactly('ways in which the clock jumped', played.length, seen.length),
    below(
      `long polls and retries of ${waitSeconds} s, too early or too late by`,
      bound,
      worst(({ errorsMs }) => Math.max(...errorsMs)),
      ' ms',
    ),
    exactly(
      'results that nobody had read, gone',
      0,
      sum(({ unreadLost }) => unreadLost),
    ),
    exactly(
      'gone after a kill and a start by the right clock, --result-ttl=2h',
      0,
      sum(({ unreadLostAtRestart }) => unreadLostAtRestart),
    ),
    exactly(
      'ids given twice',
      0,
      sum(({ repeatedIds }) => repeatedIds),
    ),
    below(
      'share of a processor taken while there was nothing to do',
      0.25,
      worst(({ busy }) => busy),
    ),
  ];
}

export const clocks: readonly Scenario[] = [
  { id: 'r08', name: 'a wall clock that jumps ends nothing early and holds nothing up', run: jumpingClocks },
];
