import type { RegistryStats } from '../job/registry.js';
import type { Summary } from '../page/wire.js';
import { version } from '../version.js';
import type { Ledger } from './ledger.js';

/** Where the summary gets its figures. */
export interface SummarySources {
  readonly ledger: Ledger;
  readonly stats: () => RegistryStats;
  readonly limits: QueueLimits;
  /** The audit log's file, if one is written. */
  readonly auditFile: string | undefined;
  readonly startedAtMs: number;
  /** Why no exports are taken, if none are. */
  readonly notReady: () => string | undefined;
}

/** The settings that the figures are held against. */
export interface QueueLimits {
  readonly concurrency: number;
  readonly maxQueued: number;
  readonly maxWaiters: number;
  readonly maxMemoryBytes: number;
  readonly maxKept: number;
}

export function summarise(sources: SummarySources): Summary {
  const { ledger, limits, startedAtMs, notReady, auditFile } = sources;
  const stats = sources.stats();
  const { revision, pending, processing, held, maxHeld, forgotten, outcomes } = ledger.figures();
  return {
    startedAt: new Date(startedAtMs).toISOString(),
    version,
    notReady: notReady() ?? null,
    revision,
    open: { pending, processing },
    last24Hours: ledger.last24Hours(),
    record: { held: { now: held, max: maxHeld }, forgotten, outcomes },
    apps: ledger.apps(),
    destinations: ledger.destinations(),
    queue: {
      unfinished: { now: stats.pending + stats.processing, max: limits.maxQueued },
      inFlight: { now: stats.running, max: limits.concurrency },
      longPolls: { now: stats.waiters, max: limits.maxWaiters },
      memoryBytes: { now: stats.bytes, max: limits.maxMemoryBytes },
      keptResults: { now: stats.finished, max: limits.maxKept },
      lanes: stats.lanes,
      fullest: ledger.fullestLanes(),
    },
    auditFile: auditFile ?? null,
  };
}
