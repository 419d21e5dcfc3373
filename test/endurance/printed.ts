import type { Figure } from '../faults/figures/scenario.js';

/** Something to know beside the figures, of which nothing is asked. */
export interface Note {
  readonly what: string;
  readonly seen: string;
}

export interface Report {
  readonly title: string;
  readonly seconds: number;
  readonly figures: readonly Figure[];
  readonly notes: readonly Note[];
  /** Examples of what went wrong. */
  readonly remarks: readonly string[];
}

/** Prints a report, and gives the exit status. */
export function print(report: Report, json: boolean): number {
  const { title, seconds, figures, notes, remarks } = report;
  const missed = figures.filter(({ met }) => !met).length;
  if (json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  else {
    const lines = [
      `${title} (${Math.round(seconds)} s)`,
      ...figures.map(
        ({ what, asked, seen, met }) => `${met ? 'met   ' : 'MISSED'}  ${what}: asked ${asked}, seen ${seen}`,
      ),
      ...notes.map(({ what, seen }) => `        ${what}: ${seen}`),
      ...remarks.map((remark) => `        ! ${remark}`),
      missed === 0 ? 'every figure is met' : `${missed} figures missed`,
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  }
  return missed === 0 ? 0 : 1;
}

/** A number with its unit, as short as it says enough. */
export function rounded(value: number, unit: string): string {
  const digits = Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0;
  return `${Number(value.toFixed(digits))}${unit}`;
}
