import type { Counter } from 'prom-client';

type Labels<Name extends string> = Readonly<Record<Name, string | number>>;

interface Pending<Name extends string> {
  readonly labels: Labels<Name>;
  count: number;
}

/**
 * Counts in front of a counter of prom-client's, which makes a key of sorted labels and checks them each time: here a
 * known combination is an addition. What was counted goes over when somebody asks.
 */
export class Tally<Name extends string> {
  readonly #counter: Counter<Name>;
  readonly #pending = new Map<string, Pending<Name>>();

  constructor(counter: Counter<Name>) {
    this.#counter = counter;
  }

  /** `key` is any text that stands for exactly these labels. */
  add(key: string, labels: () => Labels<Name>, count = 1): void {
    const pending = this.#pending.get(key);
    if (pending === undefined) this.#pending.set(key, { labels: labels(), count });
    else pending.count += count;
  }

  /** Hands over what was counted since the last time. */
  flush(): void {
    for (const pending of this.#pending.values()) {
      this.#counter.inc(pending.labels, pending.count);
      pending.count = 0;
    }
  }
}
