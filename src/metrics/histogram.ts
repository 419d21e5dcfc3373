/** How a histogram is called and divided. */
export interface HistogramOptions {
  readonly name: string;
  readonly help: string;
  /** Its one label, if it has one; values come from a fixed set. */
  readonly label?: string;
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
}

interface Series {
  /** By bucket, each observation in one of them alone; the last is for what is beyond all bounds. */
  readonly counts: number[];
  sum: number;
}

/**
 * A histogram in the text format of Prometheus. prom-client's makes a key and an object of labels for each
 * observation, which takes 0.8 to 1.5 µs, several times a job; this one takes a tenth of that.
 */
export class Histogram {
  readonly #options: HistogramOptions;
  readonly #series = new Map<string, Series>();

  constructor(options: HistogramOptions) {
    this.#options = options;
  }

  /** Counts a value; `labelled` is the value of the label, where there is one. */
  observe(value: number, labelled = ''): void {
    const series = this.series(labelled);
    const { counts } = series;
    const { buckets } = this.#options;
    let index = 0;
    // Most values are in one of the first.
    while (index < buckets.length && value > (buckets[index] ?? Infinity)) index += 1;
    counts[index] = (counts[index] ?? 0) + 1;
    series.sum += value;
  }

  /** Begins a series before anything is observed, so that there is a 0 to compare with. */
  series(labelled = ''): Series {
    let series = this.#series.get(labelled);
    if (series === undefined) {
      series = { counts: this.#options.buckets.map(() => 0).concat(0), sum: 0 };
      this.#series.set(labelled, series);
    }
    return series;
  }

  /** As Prometheus reads it, ending in a line feed. */
  text(): string {
    const { name, help } = this.#options;
    const lines = [...this.#series].flatMap(([labelled, series]) => this.#seriesLines(labelled, series));
    return [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`, ...lines, ''].join('\n');
  }

  #seriesLines(labelled: string, { counts, sum }: Series): readonly string[] {
    const { name, label, buckets } = this.#options;
    const own = label === undefined ? '' : `${label}="${labelled}"`;
    const only = own === '' ? '' : `{${own}}`;
    let count = 0;
    const lines = counts.map((inBucket, index) => {
      count += inBucket;
      const le = `le="${buckets[index] ?? '+Inf'}"`;
      return `${name}_bucket{${own === '' ? le : `${le},${own}`}} ${count}`;
    });
    return [...lines, `${name}_sum${only} ${sum}`, `${name}_count${only} ${count}`];
  }
}
