import { Counter, Gauge, type Registry } from 'prom-client';
import { Histogram } from './histogram.js';
import { outcomes, refusedConnections, ruleNames } from './labels.js';

/** Waits and durations from a millisecond to a minute: the longest that is ordinary, a long poll, is held 55 s. */
const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** A job may wait for its turn as long as `--queue-timeout`: a day. */
const queueBuckets = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400];
/** A commit is one flush to a disk. */
const commitBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

/** What is counted as it happens. The help texts are the table in docs/operating. */
export function createCounters(registry: Registry) {
  const registers = [registry];
  const plain = (name: string, help: string): Counter => new Counter({ name, help, registers });
  const counters = {
    jobsFinished: new Counter({
      name: 'export_relay_jobs_finished_total',
      help: "Jobs that ended, by outcome: the class of the destination's status, or the error code.",
      labelNames: ['outcome'],
      registers,
    }),
    requests: new Counter({
      name: 'export_relay_requests_total',
      help: 'Requests answered, frames of WebSockets among them, by route, status and problem code ("ok" for none).',
      labelNames: ['route', 'status', 'code'],
      registers,
    }),
    refusals: new Counter({
      name: 'export_relay_refusals_total',
      help: 'Exports that the egress policy refused, by rule and stage: submission (what the URL says), dry_run or attempt (what its name resolved to).',
      labelNames: ['stage', 'rule'],
      registers,
    }),
    connectionsRefused: new Counter({
      name: 'export_relay_connections_refused_total',
      help: 'Client connections that were not accepted, by reason.',
      labelNames: ['reason'],
      registers,
    }),
    jobsAccepted: plain('export_relay_jobs_accepted_total', 'Jobs accepted.'),
    retries: plain('export_relay_retries_total', 'Attempts that failed and will be followed by another one.'),
    acceptedBytes: plain('export_relay_accepted_bytes_total', 'Payload accepted from apps, in bytes.'),
    deliveredBytes: plain(
      'export_relay_delivered_bytes_total',
      'Payload of attempts that a destination answered, in bytes; a payload sent again counts again.',
    ),
    auditLines: plain('export_relay_audit_lines_total', 'Lines of the audit record that are on the disk.'),
    auditBytes: plain('export_relay_audit_bytes_total', 'Bytes of the audit record that are on the disk.'),
    auditFailures: plain(
      'export_relay_audit_write_failures_total',
      'Tries to write the audit record that failed; it is tried again every second.',
    ),
    bugs: plain('export_relay_bugs_total', 'Exceptions that nobody expected; the log has each.'),
  };
  startAtZero(counters);
  return counters;
}

/** What alerts wait for is there from the start: the first of a kind is an increase only if there was a 0 before. */
function startAtZero({
  jobsFinished,
  requests,
  refusals,
  connectionsRefused,
}: Readonly<Record<'jobsFinished' | 'requests' | 'refusals' | 'connectionsRefused', Counter>>): void {
  for (const outcome of outcomes) jobsFinished.inc({ outcome }, 0);
  for (const rule of ruleNames) refusals.inc({ stage: 'attempt', rule }, 0);
  for (const reason of refusedConnections) connectionsRefused.inc({ reason }, 0);
  for (const route of ['/export', '/lp/export', '/ws/export']) {
    requests.inc({ route, status: 503, code: 'storage_unavailable' }, 0);
  }
}

/** What is timed as it happens. */
export function createHistograms() {
  const histograms = {
    requestDuration: new Histogram({
      name: 'export_relay_request_duration_seconds',
      help: 'Time to answer a request, by route; that of /lp/export includes the time a poll is held.',
      label: 'route',
      buckets: secondsBuckets,
    }),
    queueWait: new Histogram({
      name: 'export_relay_queue_wait_seconds',
      help: 'Time from the acceptance of a job to its first attempt.',
      buckets: queueBuckets,
    }),
    attemptDuration: new Histogram({
      name: 'export_relay_attempt_duration_seconds',
      help: "Time of an attempt, connect to last byte, by outcome: the class of the destination's status, or the error code.",
      label: 'outcome',
      buckets: secondsBuckets,
    }),
    journalCommit: new Histogram({
      name: 'export_relay_journal_commit_duration_seconds',
      help: 'Time to bring one group of changes to the disk; none without --journal.',
      buckets: commitBuckets,
    }),
    auditWrite: new Histogram({
      name: 'export_relay_audit_write_duration_seconds',
      help: 'Time to bring one group of lines of the audit record to the disk; none without --audit.',
      buckets: commitBuckets,
    }),
  };
  // A relay that has never done something has not done it for a while, too.
  histograms.attemptDuration.series('2xx');
  histograms.queueWait.series();
  histograms.journalCommit.series();
  histograms.auditWrite.series();
  return histograms;
}

/** What is read when somebody asks. */
export function createGauges(registry: Registry) {
  const registers = [registry];
  const plain = (name: string, help: string): Gauge => new Gauge({ name, help, registers });
  return {
    buildInfo: new Gauge({
      name: 'export_relay_build_info',
      help: 'Always 1; the version of the relay is its label.',
      labelNames: ['version'],
      registers,
    }),
    jobs: new Gauge({
      name: 'export_relay_jobs',
      help: 'Jobs held, by state; the finished ones are the kept answers.',
      labelNames: ['state'],
      registers,
    }),
    connections: new Gauge({
      name: 'export_relay_connections',
      help: 'Open connections, by side: client or destination.',
      labelNames: ['side'],
      registers,
    }),
    lanes: plain('export_relay_lanes', 'Lanes with work: pairs of an owner and a destination origin.'),
    attemptsInFlight: plain('export_relay_attempts_in_flight', 'Attempts in flight.'),
    waiters: plain('export_relay_waiters', 'Long polls held, and jobs followed over WebSockets.'),
    webSockets: plain('export_relay_websockets', 'Open WebSockets.'),
    memoryUsed: plain(
      'export_relay_memory_budget_used_bytes',
      'Payloads and kept answers together, as --max-memory counts them.',
    ),
    unreadBytes: plain(
      'export_relay_unread_answers_bytes',
      'Answers that were written and that their clients have not read.',
    ),
    secretKnown: plain(
      'export_relay_secret_known',
      '1 if the relay knows its macaroon secret and can take jobs, else 0.',
    ),
    auditWritable: plain(
      'export_relay_audit_writable',
      '0 if the audit record cannot be written and so nothing leaves, else 1; 1 without --audit.',
    ),
    jobsLimit: plain('export_relay_jobs_unfinished_limit', 'The bound --max-queued.'),
    attemptsLimit: plain('export_relay_attempts_in_flight_limit', 'The bound --concurrency.'),
    waitersLimit: plain('export_relay_waiters_limit', 'The bound --max-waiters.'),
    connectionsLimit: plain('export_relay_connections_limit', 'The bound --max-connections.'),
    memoryLimit: plain('export_relay_memory_budget_limit_bytes', 'The bound --max-memory.'),
  };
}

/** Counted by somebody else, and taken over when somebody asks. */
export function createLostLines(registry: Registry, lost: () => number): void {
  new Counter({
    name: 'export_relay_log_lines_lost_total',
    help: 'Log lines lost because nobody read them in time.',
    registers: [registry],
    collect() {
      this.reset();
      this.inc(lost());
    },
  });
}
