import { readFileSync } from 'node:fs';
import { createMetrics, type Figures, type Metrics } from '#relay/metrics/metrics.js';

export const idle: Figures = {
  stats: { pending: 0, processing: 0, finished: 0, waiters: 0, lanes: 0, running: 0, bytes: 0 },
  webSockets: 0,
  clientConnections: 0,
  destinationConnections: 0,
  unreadBytes: 0,
  secretKnown: true,
};

const bounds = {
  concurrency: 256,
  maxQueued: 10_000,
  maxWaiters: 20_000,
  maxConnections: 25_000,
  maxMemoryBytes: 1 << 28,
};

export function metricsUnderTest({ figures = idle, processMetrics = false, lost = 0 } = {}): Metrics {
  const metrics = createMetrics({
    figures: () => Promise.resolve(figures),
    bounds,
    logLinesLost: () => lost,
    processMetrics,
  });
  metrics.start();
  return metrics;
}

/** The samples of a text in Prometheus's format: the value by name and labels, as they are written. */
export function samplesOf(body: string): ReadonlyMap<string, number> {
  const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

export function readText(path: string): string {
  return readFileSync(path, 'utf8');
}
