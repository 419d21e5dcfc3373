/** A measure at a moment. */
export interface Point {
  readonly atMs: number;
  readonly value: number;
}

const hourMs = 3_600_000;

/** An engine's heap goes up and down in about this time; values that are closer say the same thing twice. */
const cycleMs = 20_000;

export interface Growth {
  readonly perHour: number;
  /** The standard error of it: what remains of the values' ups and downs. */
  readonly errorPerHour: number;
}

/** What the values grow by in an hour, by least squares; not a number for fewer than two moments. */
export function growthOf(points: readonly Point[]): Growth {
  const meanOf = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const middleMs = meanOf(points.map(({ atMs }) => atMs));
  const mean = meanOf(points.map(({ value }) => value));
  const variance = meanOf(points.map(({ atMs }) => (atMs - middleMs) ** 2));
  const slope = meanOf(points.map(({ atMs, value }) => (atMs - middleMs) * (value - mean))) / variance;
  const residual = meanOf(points.map(({ atMs, value }) => (value - mean - slope * (atMs - middleMs)) ** 2));
  const lengthMs = (points.at(-1)?.atMs ?? Number.NaN) - (points[0]?.atMs ?? Number.NaN);
  const independent = Math.max(1, lengthMs / cycleMs);
  return { perHour: slope * hourMs, errorPerHour: Math.sqrt(residual / variance / independent) * hourMs };
}

/** The lowest value of each stretch of `everyMs`: of a heap, about what is left after a collection. */
export function lowest(points: readonly Point[], everyMs: number): readonly Point[] {
  const found = new Map<number, Point>();
  for (const point of points) {
    const stretch = Math.floor(point.atMs / everyMs);
    if (point.value < (found.get(stretch)?.value ?? Infinity)) found.set(stretch, point);
  }
  return [...found.values()];
}
