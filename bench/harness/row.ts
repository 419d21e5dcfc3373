import { median } from './summary.js';

/** How thoroughly to measure. */
export interface Effort {
  readonly rounds: number;
  /** Multiplies what a round measures: 1 for figures that count, less to try something out. */
  readonly scale: number;
  /** Where measured relays leave CPU profiles. */
  readonly profileDir: string | undefined;
}

/** Something measured, one value a round. */
export interface Figure {
  readonly what: string;
  /** Of what was measured; what is compared has none if it is a ratio. */
  readonly unit: string;
  readonly relay: readonly number[];
  /** What stood in the relay's place, if it was something else. */
  readonly instead?: string;
  /** What it is measured against, in the same rounds. */
  readonly yardstick?: readonly number[];
  /** What the bar is held against: ratio or difference of the two above, or the relay's figure itself. */
  readonly compared: readonly number[];
  /** Without one the figure is for information. */
  readonly bar?: Bar;
  /** CPU time of relay and yardstick for one request or export, in microseconds: steadier than the clock. */
  readonly cpuMicros?: { readonly relay: readonly number[]; readonly yardstick: readonly number[] };
}

export interface Bar {
  readonly kind: 'at least' | 'under';
  readonly value: number;
  readonly unit: '×' | 'ms' | 's' | 'KiB' | 'kB';
}

/** One row of the table of what the relay promises. */
export interface Row {
  readonly name: string;
  readonly what: string;
  readonly measure: (effort: Effort) => Promise<readonly Figure[]>;
}

/** Whether a figure meets its bar: its median does. */
export function meetsBar({ compared, bar }: Figure): boolean {
  if (bar === undefined) return true;
  const value = median(compared);
  return bar.kind === 'at least' ? value >= bar.value : value < bar.value;
}

/** Relay over yardstick, round by round. */
export function ratios(relay: readonly number[], yardstick: readonly number[]): readonly number[] {
  return relay.map((value, round) => value / (yardstick[round] ?? Number.NaN));
}

/** Measures two sides in turn, and in the other order every other round, so that neither is always the first. */
export async function alternate(
  rounds: number,
  first: () => Promise<void>,
  second: () => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? [first, second] : [second, first];
    for (const side of order) await side();
  }
}
