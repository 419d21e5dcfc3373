import { below, exactly, type Figure } from '../faults/figures/scenario.js';
import type { Account } from './account.js';
import { type Note, rounded } from './printed.js';
import { growthOf, lowest, type Point } from './slope.js';
import type { Target } from './target.js';
import type { Sample } from './watch.js';

const mb = 1024 ** 2;
const hourMs = 3_600_000;
/** What resident memory may grow by, in the long run. */
const aimMbPerHour = 1;
/** What happened to the exports. */
export function exportFigures(account: Account, target: Target): readonly Figure[] {
  const { counts } = account;
  const { unexpected, hangs, slowestAtStartMs } = target.troubles;
  return [
    exactly(
      `of ${counts.accepted} accepted exports, lost: without an end, or unknown before it was read`,
      0,
      account.lost() + counts.forgotten,
    ),
    exactly('exports for destinations that work, neither answered 200 nor cancelled', 0, counts.endedWrongly),
    exactly('answers read of destinations that had got nothing', 0, counts.unfounded),
    exactly('exports that had two ids, or arrived under two keys', 0, counts.duplicates),
    exactly('deliveries repeated after an answer or an end, but around a kill', 0, counts.repeated),
    exactly('arrivals of what was not submitted whole, or with other bytes', 0, counts.wrong),
    {
      what: `of ${target.troubles.requests} requests, answered otherwise than documented, or not at all without a kill`,
      asked: '0',
      seen: counted(unexpected),
      met: unexpected.size === 0,
    },
    {
      what: 'requests that are not held, answered after more than 1 s, but in the 10 s after a start',
      asked: '0',
      seen: counted(hangs),
      met: hangs.size === 0,
    },
    below('slowest of them in the 10 s after a start', 10_000, slowestAtStartMs, ' ms'),
  ];
}

function counted(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([what, count]) => `${count} × ${what}`).join(', ') || '0';
}

/** What happened to the relay's memory, from `fromMs` until `toMs`, when no kill disturbed it. */
export function memoryFigures(samples: readonly Sample[], fromMs: number, toMs: number): readonly Figure[] {
  const calm = samples.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
  const hours = (toMs - fromMs) / hourMs;
  const points = calm.map(({ atMs, rssBytes }) => ({ atMs, value: rssBytes / mb }));
  const { perHour, errorPerHour } = growthOf(points);
  const bound = aimMbPerHour + 2 * errorPerHour;
  return [
    {
      what: `growth of RSS over the last ${rounded(hours * 60, ' min')}, least squares over ${calm.length} samples (asked: ${aimMbPerHour} MB/h and twice the standard error, which gets small as the run gets long)`,
      asked: `< ${rounded(bound, ' MB/h')}`,
      seen: rounded(perHour, ' MB/h'),
      met: perHour < bound,
    },
  ];
}

/** How large the journal was against what is promised: twice what counts, and 32 MB; and what is being written. */
export function journalFigure(samples: readonly Sample[]): Figure {
  const shares = samples.map(({ journalBytes, metrics }) => {
    const jobs = ['pending', 'processing', 'finished'].map((state) =>
      metrics.get(`export_relay_jobs{state="${state}"}`),
    );
    const held = metrics.get('export_relay_memory_budget_used_bytes') ?? 0;
    const counts = held + 1024 * jobs.reduce<number>((sum, count) => sum + (count ?? 0), 0);
    return journalBytes / (2 * counts + 64 * mb);
  });
  return below('journal at most, to twice what it keeps and 64 MB', 1, Math.max(...shares));
}

/** The smallest, the median and the largest value. */
function spread(values: readonly number[], unit: string): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): string =>
    rounded(sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN, '');
  return `${at(0)} … ${at(0.5)} … ${at(1)}${unit}`;
}

/** What else was seen. */
export function soakNotes(samples: readonly Sample[], account: Account, target: Target): readonly Note[] {
  const of = (name: string, scale = 1): number[] =>
    samples.map(({ metrics }) => (metrics.get(name) ?? 0) / scale);
  const { counts } = account;
  const heap: Point[] = samples.map(({ atMs, metrics }) => ({
    atMs,
    value: (metrics.get('nodejs_heap_size_used_bytes') ?? 0) / mb,
  }));
  const floor = lowest(heap, 30_000).map(({ value }) => value);
  return [
    {
      what: 'exports',
      seen: `${counts.begun} begun, ${counts.delivered} answered, ${counts.cancelled} cancelled, ${counts.ended - counts.delivered - counts.cancelled} given up`,
    },
    {
      what: 'kills, and deliveries repeated around them',
      seen: `${account.kills}, ${counts.repeatedByKill}`,
    },
    { what: 'refused for want of room (429, 503)', seen: String(target.troubles.refused) },
    {
      what: 'in these 10 s, the last that took more than 1 s was answered after',
      seen: rounded(target.troubles.caughtUpMs, ' ms'),
    },
    { what: 'slowest request that is not held', seen: rounded(target.troubles.slowestMs, ' ms') },
    {
      what: 'smallest … median … largest: of the processor time that was wanted, what the host gave',
      seen: spread(
        samples.map(({ granted }) => granted * 100),
        ' %',
      ),
    },
    {
      what: 'RSS',
      seen: spread(
        samples.map(({ rssBytes }) => rssBytes / mb),
        ' MB',
      ),
    },
    { what: 'heap in use', seen: spread(of('nodejs_heap_size_used_bytes', mb), ' MB') },
    { what: 'its lowest of each 30 s', seen: spread(floor, ' MB') },
    {
      what: 'descriptors',
      seen: spread(
        samples.map(({ descriptors }) => descriptors),
        '',
      ),
    },
    {
      what: 'journal',
      seen: spread(
        samples.map(({ journalBytes }) => journalBytes / mb),
        ' MB',
      ),
    },
    {
      what: 'audit record',
      seen: spread(
        samples.map(({ auditBytes }) => auditBytes / mb),
        ' MB',
      ),
    },
    { what: 'event loop delay, p99', seen: spread(of('nodejs_eventloop_lag_p99_seconds', 1e-3), ' ms') },
    { what: 'event loop delay, longest', seen: spread(of('nodejs_eventloop_lag_max_seconds', 1e-3), ' ms') },
    { what: 'jobs kept', seen: spread(of('export_relay_jobs{state="finished"}'), '') },
    { what: 'long polls and jobs followed', seen: spread(of('export_relay_waiters'), '') },
    { what: 'attempts in flight', seen: spread(of('export_relay_attempts_in_flight'), '') },
    {
      what: 'connections to destinations',
      seen: spread(of('export_relay_connections{side="destination"}'), ''),
    },
  ];
}
