/**
 * `npm run soak -- --minutes N [--seed S] [--json]`: the program as it ships, with journal and audit record, under
 * mixed load for as long as asked, and watched. Ends with 1 if a figure is missed.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { exactly, type Figure, scratch } from '../faults/figures/scenario.js';
import { eventually } from '../helpers/eventually.js';
import type { Cleanup } from '../helpers/scripted_destination.js';
import { Account } from './account.js';
import { Destinations } from './destinations.js';
import { soakFlags } from './flags.js';
import { Host } from './host.js';
import { type Report, print, rounded } from './printed.js';
import { Random } from './random.js';
import { exportFigures, journalFigure, memoryFigures, soakNotes } from './soak_figures.js';
import { Apps } from './stories.js';
import { Target } from './target.js';
import { type Sample, Watch } from './watch.js';

/** The share of the highest rate at which it runs. */
const load = 0.6;
/** Kills come in this share of the time; the rest shows how memory behaves in a relay that lives. */
const killedShare = 0.4;
const killEveryMs = 180_000;
const calibrationMs = 8000;
const calibrationApps = 640;
const tickMs = 10;
/** How often it is asked what the host gives. */
const hostEveryMs = 500;

const flags = ['--attempts=2', '--attempt-timeout=3s', '--job-timeout=30s', '--lane-concurrency=16'];

interface Run {
  readonly target: Target;
  readonly apps: Apps;
  readonly account: Account;
  readonly random: Random;
}

/**
 * Plays exports one after the other at each of many apps, and gives how many went through in a second, or would have, had
 * the host given the machine all of its processors.
 */
async function calibrate({ apps, target }: Run): Promise<number> {
  let played = 0;
  const host = new Host();
  const endsAtMs = performance.now() + calibrationMs;
  // The first half pays for code that is not compiled yet.
  const countedFromMs = endsAtMs - calibrationMs / 2;
  const halfway = delay(calibrationMs / 2).then(() => host.granted());
  const work = async (): Promise<void> => {
    while (performance.now() < endsAtMs) {
      await apps.play();
      if (performance.now() > countedFromMs && performance.now() < endsAtMs) played += 1;
    }
  };
  await Promise.all([halfway, ...Array.from({ length: calibrationApps }, work)]);
  const granted = await host.granted();
  // At the highest rate everybody waits; what may take how long is asked below it.
  target.troubles.hangs.clear();
  Object.assign(target.troubles, { slowestMs: 0, slowestAtStartMs: 0, caughtUpMs: 0 });
  return (played * 1000) / (calibrationMs / 2) / granted;
}

/**
 * Begins exports at random moments, whether or not those before have ended: as many a second as asked while the host gives
 * the machine all of its processors, and else so much fewer, because less is the most that it takes then.
 */
async function offer({ apps, account, random }: Run, mostPerSecond: number, untilMs: number): Promise<void> {
  const host = new Host();
  await host.granted();
  let perSecond = mostPerSecond;
  let lastMs = performance.now();
  let [sweptAtMs, droppedAtMs, askedAtMs] = [lastMs, lastMs, lastMs];
  while (lastMs < untilMs) {
    await delay(tickMs);
    const nowMs = performance.now();
    for (let due = random.poisson((perSecond * (nowMs - lastMs)) / 1000); due > 0; due -= 1) void apps.play();
    lastMs = nowMs;
    if (nowMs - askedAtMs > hostEveryMs) {
      perSecond = mostPerSecond * (await host.granted());
      askedAtMs = nowMs;
    }
    if (nowMs - droppedAtMs > 7000) {
      apps.dropFollower();
      droppedAtMs = nowMs;
    }
    if (nowMs - sweptAtMs > 10_000) {
      account.sweep(nowMs);
      sweptAtMs = nowMs;
    }
  }
}

/** Kills the relay now and then; gives when the last one was there. */
async function kill({ target, account }: Run, forMs: number): Promise<number> {
  const kills = Math.max(1, Math.round((forMs * killedShare) / killEveryMs));
  for (let done = 0; done < kills; done += 1) {
    await delay((forMs * killedShare) / kills);
    account.killed(performance.now());
    await target.killAndRestart();
  }
  return performance.now();
}

/** Whether it came to this in time. */
async function comesTo(condition: () => boolean | Promise<boolean>, withinMs: number): Promise<boolean> {
  return eventually(condition, withinMs).then(
    () => true,
    () => false,
  );
}

async function drainFigures(
  { target, apps }: Run,
  watch: Watch,
  base: Sample,
  ttlMs: number,
): Promise<readonly Figure[]> {
  const played = await comesTo(() => apps.active === 0, 150_000);
  apps.closeFollowers();
  await target.closeConnections();
  let last = await watch.look();
  const isIdle = async (): Promise<boolean> => {
    await delay(500);
    last = await watch.look();
    return (
      last.descriptors <= base.descriptors + slack &&
      last.metrics.get('export_relay_jobs{state="finished"}') === 0
    );
  };
  await comesTo(isIdle, ttlMs + 60_000);
  await watch.stop();
  const { status } = await target.relay.stop();
  return [
    {
      what: 'exports still under way 150 s after the last began',
      asked: '0',
      seen: String(apps.active),
      met: played,
    },
    exactly(
      'results kept after their time',
      0,
      last.metrics.get('export_relay_jobs{state="finished"}') ?? -1,
    ),
    {
      what: 'descriptors when all is over, to those before',
      asked: `≤ ${base.descriptors} + ${slack}`,
      seen: String(last.descriptors),
      met: last.descriptors <= base.descriptors + slack,
    },
    exactly(
      'exceptions that nobody expected, of the last relay',
      0,
      last.metrics.get('export_relay_bugs_total') ?? -1,
    ),
    exactly('exit status of a stop afterwards', 0, status ?? -1),
  ];
}

/** A journal in use has a few files open. */
const slack = 8;

async function soak(t: Cleanup, minutes: number, seed: number): Promise<Report> {
  const [begunAtMs, forMs] = [performance.now(), minutes * 60_000];
  const ttlMs = forMs < 300_000 ? 10_000 : 30_000;
  const files = { journal: await scratch(t), audit: join(await scratch(t), 'audit.log') };
  const target = await Target.start(t, {
    journal: files.journal,
    flags: [...flags, `--result-ttl=${ttlMs}ms`, `--audit=${files.audit}`],
  });
  const [account, random] = [new Account(), new Random(seed)];
  const apps = new Apps(target, await Destinations.start(t, account), account, random);
  const run: Run = { target, apps, account, random };
  const watch = new Watch(target, files);
  const base = await watch.look();
  const highest = await calibrate(run);
  const endsAtMs = performance.now() + forMs;
  const [quietFromMs] = await Promise.all([kill(run, forMs), offer(run, highest * load, endsAtMs)]);
  const drained = await drainFigures(run, watch, base, ttlMs);
  const { status } = spawnSync(process.execPath, ['dist/main.js', 'audit', 'verify', files.audit], {
    env: {},
  });
  const warmUpMs = Math.min((endsAtMs - quietFromMs) / 3, 600_000);
  return {
    title: `soak: ${minutes} min at ${load * 100} % of what this machine takes, ${Math.round(highest * load)} exports/s if the host gives it all of its processors, seed ${seed}`,
    seconds: (performance.now() - begunAtMs) / 1000,
    figures: [
      ...exportFigures(account, target),
      ...memoryFigures(watch.samples, quietFromMs + warmUpMs, endsAtMs),
      journalFigure(watch.samples),
      ...drained,
      exactly('exit status of audit verify', 0, status ?? -1),
      exactly('looks at the relay that failed', 0, watch.missed),
      exactly('errors of this program', 0, apps.bugs.length),
    ],
    notes: [
      {
        what: 'highest rate, closed loop, relay and load on this machine, if the host gave it all',
        seen: rounded(highest, ' exports/s'),
      },
      ...soakNotes(watch.samples, account, target),
    ],
    remarks: [...account.remarks, ...apps.bugs.slice(0, 5)],
  };
}

const { values } = parseArgs({ options: soakFlags });
const { seed = String(Math.floor(Math.random() * 2 ** 31)) } = values;
const minutes = Number(values.minutes);
if (!(minutes > 0)) {
  process.stderr.write('soak: --minutes takes a number above 0\n');
  process.exit(2);
}
const releases: (() => unknown)[] = [];
const report = await soak({ teardown: (release) => void releases.push(release) }, minutes, Number(seed));
for (const release of releases.reverse()) await release();
process.exit(print(report, values.json));
