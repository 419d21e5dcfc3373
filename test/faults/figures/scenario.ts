import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cleanup } from '../../helpers/scripted_destination.js';

/** How much of a scenario is played: enough to notice a regression, or as much as was asked for. */
export type Scale = 'short' | 'full';

/** One thing that a scenario has to show. */
export interface Figure {
  readonly what: string;
  readonly asked: string;
  readonly seen: string;
  readonly met: boolean;
}

/** A fault, and what must be true of a relay that has met it. */
export interface Scenario {
  readonly id: string;
  /** A sentence. */
  readonly name: string;
  /** What it needs that is not here, if anything. */
  readonly obstacle?: () => string | undefined;
  /** Only worth its time in full. */
  readonly fullOnly?: boolean;
  readonly run: (t: Cleanup, scale: Scale) => Promise<readonly Figure[]>;
}

/** How a scenario went. */
export interface Outcome {
  readonly id: string;
  readonly name: string;
  readonly seconds: number;
  /** Why it was not played. */
  readonly skipped?: string;
  /** What ended it before its figures. */
  readonly error?: string;
  readonly figures: readonly Figure[];
}

/** A count that has to be one number. */
export function exactly(what: string, asked: number, seen: number): Figure {
  return { what, asked: String(asked), seen: String(seen), met: seen === asked };
}

export function atLeast(what: string, asked: number, seen: number): Figure {
  return { what, asked: `≥ ${asked}`, seen: String(seen), met: seen >= asked };
}

/** A measure that must not reach a bound. */
export function below(what: string, bound: number, seen: number, unit = ''): Figure {
  const rounded = seen < 10 ? Math.round(seen * 100) / 100 : Math.round(seen);
  return { what, asked: `< ${bound}${unit}`, seen: `${rounded}${unit}`, met: seen < bound };
}

/** A directory that goes with the test. */
export async function scratch(t: Cleanup): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'faults-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** The value below which this share of them lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
