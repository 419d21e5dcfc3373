import type { ExportClient } from '../../helpers/export_client.js';
import { type Figure, quantile, type Scale } from './scenario.js';

export interface Pair {
  /** Starts a relay without load; only then is there one to compare with. */
  readonly calm: () => Promise<ExportClient>;
  readonly loaded: ExportClient;
  /** So many exports one after another, each in ms. */
  readonly measure: (client: ExportClient, exports: number) => Promise<readonly number[]>;
}

/**
 * How much longer exports of others take at a relay under load than at one without, by p99. The two are measured in
 * turns, so that what else the machine does meets both alike, and the median of the rounds' ratios counts, so that one
 * bad moment does not. In short only that nothing stands still.
 */
export async function pairedRatio(scale: Scale, { calm: start, loaded, measure }: Pair): Promise<Figure> {
  if (scale === 'short') {
    // The burst in which the load arrives is not what is asked about.
    await measure(loaded, 5);
    const p99Ms = quantile(await measure(loaded, 20), 0.99);
    await loaded.close();
    return {
      what: 'exports of others, p99',
      asked: '< 1000 ms',
      seen: `${Math.round(p99Ms)} ms`,
      met: p99Ms < 1000,
    };
  }
  const [calm, rounds, exports] = [await start(), 21, 100];
  const [ratios, p99s]: [number[], number[]] = [[], []];
  await measure(calm, exports);
  await measure(loaded, exports);
  for (let round = 0; round < rounds; round += 1) {
    const first = round % 2 === 0 ? calm : loaded;
    const one = await measure(first, exports);
    const other = await measure(first === calm ? loaded : calm, exports);
    const [atCalm, atLoaded] = first === calm ? [one, other] : [other, one];
    ratios.push(quantile(atLoaded, 0.99) / quantile(atCalm, 0.99));
    p99s.push(quantile(atLoaded, 0.99));
  }
  await calm.close();
  await loaded.close();
  const ratio = Math.round(quantile(ratios, 0.5) * 100) / 100;
  return {
    what: `exports of others, p99 (${Math.round(quantile(p99s, 0.5))} ms) to p99 without, median of ${rounds} rounds`,
    asked: '≤ 1.2',
    seen: String(ratio),
    met: ratio <= 1.2,
  };
}
