import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { machine } from '../harness/report.js';
import type { Effort } from '../harness/row.js';
import { type Curve, curves, middleOf } from './curves.js';
import { svgOf } from './plot.js';

/**
 * Measures how speed and memory change with size, and leaves the figures and their plots in a directory. Only the curves
 * `wanted` by name, if there are any.
 */
export async function measureGrowth(
  directory: string,
  wanted: readonly string[],
  effort: Effort,
  out: (text: string) => void,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const figures: Record<string, readonly (readonly [number, number])[]> = {};
  for (const curve of curves.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    for (const [plot, points] of Object.entries(await measureCurve(curve, effort, out))) {
      figures[plot] = points;
      const labels = curve.plots[plot];
      if (labels === undefined) continue;
      await writeFile(join(directory, `${plot}.svg`), svgOf({ ...labels, xLabel: curve.xLabel, points }));
    }
  }
  const { rounds } = effort;
  await writeFile(
    join(directory, 'growth.json'),
    `${JSON.stringify({ machine: machine(), rounds, figures }, null, 1)}\n`,
  );
}

async function measureCurve(
  { name, sizes, plots, measure }: Curve,
  effort: Effort,
  out: (text: string) => void,
): Promise<Record<string, readonly (readonly [number, number])[]>> {
  const points = Object.keys(plots).map((plot) => ({ plot, points: [] as [number, number][] }));
  for (const size of sizes) {
    const measured: Readonly<Record<string, number>>[] = [];
    for (let round = 0; round < effort.rounds; round += 1) measured.push(await measure(size, effort));
    for (const { plot, points: into } of points) into.push([size, middleOf(measured, plot)]);
    const values = points.map(({ plot }) => `${plot} ${Number(middleOf(measured, plot).toPrecision(4))}`);
    out(`${name} ${size}: ${values.join(', ')}\n`);
  }
  return Object.fromEntries(points.map(({ plot, points: values }) => [plot, values]));
}
