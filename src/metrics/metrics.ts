import { Registry } from 'prom-client';
import type { RecordWrite } from '../audit/log.js';
import type { Destination } from '../egress/destination.js';
import type { RequestReport } from '../http/app.js';
import type { RefusalReport } from '../http/exports.js';
import type { AttemptReport } from '../job/courier.js';
import type { Job } from '../job/job.js';
import type { RegistryStats } from '../job/registry.js';
import { version } from '../version.js';
import { createCounters, createGauges, createHistograms, createLostLines } from './instruments.js';
import { connectionRefusal, outcomeOf, ruleNamed } from './labels.js';
import { collectProcessMetrics } from './process.js';
import { Tally } from './tally.js';

/** The relay as it is at one moment; read only when the metrics are. */
export interface Figures {
  readonly stats: RegistryStats;
  readonly webSockets: number;
  readonly clientConnections: number;
  readonly destinationConnections: number;
  /** Answers that were written and that their clients have not read. */
  readonly unreadBytes: number;
  readonly secretKnown: boolean;
}

/** Bounds that the figures are compared with; named as in the configuration. */
interface Bounds {
  readonly concurrency: number;
  readonly maxQueued: number;
  readonly maxWaiters: number;
  readonly maxConnections: number;
  readonly maxMemoryBytes: number;
}

export interface MetricsOptions {
  readonly figures: () => Promise<Figures>;
  readonly bounds: Bounds;
  /** Log lines lost since the beginning; default: none. */
  readonly logLinesLost?: () => number;
  /** Whether to tell of the process as well: only the one relay of a process does, as nothing stops them. */
  readonly processMetrics?: boolean;
}

/** What Prometheus reads. */
export interface RenderedMetrics {
  readonly contentType: string;
  readonly body: string;
}

export interface Metrics {
  /** Changes count from here on: jobs that come back from the journal were counted when they came. */
  readonly start: () => void;
  readonly onRequest: (report: RequestReport) => void;
  readonly onAttempt: (report: AttemptReport) => void;
  readonly onChange: (job: Job) => void;
  readonly onFinished: (job: Job) => void;
  readonly onRefusal: (report: RefusalReport) => void;
  readonly onUnreachable: (destination: Destination, reason: string) => void;
  readonly onRefused: (code: string) => void;
  readonly onBug: () => void;
  /** One group of changes has reached the disk. */
  readonly observeJournalCommit: (durationMs: number) => void;
  /** The audit record was written, or could not be. */
  readonly onRecordWrite: (write: RecordWrite) => void;
  /** The text format of Prometheus. */
  readonly render: () => Promise<RenderedMetrics>;
}

/** The metrics of one relay, in a registry of its own. docs/operating/README.md lists them. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  const histograms = createHistograms();
  const counters = createCounters(registry);
  const requests = new Tally(counters.requests);
  const finished = new Tally(counters.jobsFinished);
  const gauges = createGauges(registry);
  const measure = createMeasure(gauges, options);
  createLostLines(registry, options.logLinesLost ?? (() => 0));
  if (options.processMetrics === true) collectProcessMetrics(registry);
  let started = false;
  return {
    start() {
      started = true;
    },
    onRequest({ route, status, failure, durationMs }) {
      const code = failure?.code ?? 'ok';
      // A code has one status.
      requests.add(`${route} ${failure === undefined ? status : code}`, () => ({ route, status, code }));
      histograms.requestDuration.observe(durationMs / 1000, route);
    },
    onAttempt({ job, outcome, durationMs, retryInMs }) {
      histograms.attemptDuration.observe(durationMs / 1000, outcomeOf(outcome));
      if (outcome.kind === 'answered') counters.deliveredBytes.inc(job.dataBytes);
      else if (outcome.error.rule !== undefined) {
        counters.refusals.inc({ stage: 'attempt', rule: outcome.error.rule });
      }
      if (retryInMs !== undefined) counters.retries.inc();
    },
    onChange(job) {
      if (started) countChange(job, counters, histograms);
    },
    onFinished({ result }) {
      if (result === undefined) return;
      const outcome = outcomeOf(result);
      finished.add(outcome, () => ({ outcome }));
    },
    onRefusal({ failure }) {
      if (failure.code !== 'destination_refused') return;
      counters.refusals.inc({ stage: 'submission', rule: ruleNamed(failure.rule) ?? 'other' });
    },
    onUnreachable(_destination, reason) {
      const rule = ruleNamed(reason);
      if (rule !== undefined) counters.refusals.inc({ stage: 'dry_run', rule });
    },
    onRefused: (code) => counters.connectionsRefused.inc({ reason: connectionRefusal(code) }),
    onBug: () => counters.bugs.inc(),
    observeJournalCommit: (durationMs) => histograms.journalCommit.observe(durationMs / 1000),
    onRecordWrite: countRecordWrites(histograms, counters, gauges),
    async render() {
      measure(await options.figures());
      for (const tally of [requests, finished]) tally.flush();
      const timed = Object.values(histograms).map((histogram) => histogram.text());
      return { contentType: registry.contentType, body: timed.join('') + (await registry.metrics()) };
    },
  };
}

/** A job that was accepted, or that begins its first attempt. */
function countChange(
  { state, version: jobVersion, attempts, dataBytes, createdAtMs, updatedAtMs }: Job,
  { jobsAccepted, acceptedBytes }: ReturnType<typeof createCounters>,
  { queueWait }: ReturnType<typeof createHistograms>,
): void {
  if (jobVersion === 1) {
    jobsAccepted.inc();
    acceptedBytes.inc(dataBytes);
  } else if (state === 'Processing' && attempts === 1) {
    // Wall clock: one that was set back meanwhile must not count as less than nothing.
    queueWait.observe(Math.max(0, updatedAtMs - createdAtMs) / 1000);
  }
}

function countRecordWrites(
  { auditWrite }: ReturnType<typeof createHistograms>,
  { auditLines, auditBytes, auditFailures }: ReturnType<typeof createCounters>,
  { auditWritable }: ReturnType<typeof createGauges>,
): Metrics['onRecordWrite'] {
  return (write) => {
    auditWritable.set(write.ok ? 1 : 0);
    if (!write.ok) {
      auditFailures.inc();
      return;
    }
    auditWrite.observe(write.durationMs / 1000);
    auditLines.inc(write.lines);
    auditBytes.inc(write.bytes);
  };
}

/** Puts figures into the gauges; the bounds, which never change, are there from the start. */
function createMeasure(
  gauges: ReturnType<typeof createGauges>,
  { bounds }: MetricsOptions,
): (figures: Figures) => void {
  gauges.buildInfo.set({ version }, 1);
  gauges.auditWritable.set(1);
  gauges.jobsLimit.set(bounds.maxQueued);
  gauges.attemptsLimit.set(bounds.concurrency);
  gauges.waitersLimit.set(bounds.maxWaiters);
  gauges.connectionsLimit.set(bounds.maxConnections);
  gauges.memoryLimit.set(bounds.maxMemoryBytes);
  return ({ stats, ...figures }) => {
    gauges.jobs.set({ state: 'pending' }, stats.pending);
    gauges.jobs.set({ state: 'processing' }, stats.processing);
    gauges.jobs.set({ state: 'finished' }, stats.finished);
    gauges.lanes.set(stats.lanes);
    gauges.attemptsInFlight.set(stats.running);
    gauges.waiters.set(stats.waiters);
    gauges.memoryUsed.set(stats.bytes);
    gauges.webSockets.set(figures.webSockets);
    gauges.connections.set({ side: 'client' }, figures.clientConnections);
    gauges.connections.set({ side: 'destination' }, figures.destinationConnections);
    gauges.unreadBytes.set(figures.unreadBytes);
    gauges.secretKnown.set(figures.secretKnown ? 1 : 0);
  };
}
