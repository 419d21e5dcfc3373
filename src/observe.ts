import type { Destination } from './egress/destination.js';
import type { RecordWrite } from './audit/log.js';
import type { Clock } from './clock.js';
import type { RequestReport } from './http/app.js';
import type { RefusalReport } from './http/exports.js';
import type { AttemptReport } from './job/courier.js';
import type { Job } from './job/job.js';
import { bugFields } from './log/bug.js';
import { type Logger, cut } from './log/logger.js';
import type { Metrics } from './metrics/metrics.js';
import { type Traceparent, spanIdOf, traceIdOf } from './trace_context.js';
import type { SocketReport } from './ws/socket.js';

/**
 * What the parts of the service report, as log lines: one a request, one an attempt, and one at the end of a job and
 * of a socket.
 */
export interface Observers {
  readonly onRequest: (report: RequestReport) => void;
  readonly onAttempt: (report: AttemptReport) => void;
  /** Each accepted job and each change of one. */
  readonly onChange: (job: Job) => void;
  readonly onFinished: (job: Job) => void;
  /** A submission that macaroon or policy did not permit. */
  readonly onRefusal: (report: RefusalReport) => void;
  /** A dry run whose destination has no address that exports may reach: the app does not learn why. */
  readonly onUnreachable: (destination: Destination, reason: string) => void;
  readonly onSocketClosed: (report: SocketReport) => void;
  /** A group of changes is durable in the journal. */
  readonly onCommit: (durationMs: number) => void;
  /** The audit record was written, or could not be. */
  readonly onRecordWrite: (write: RecordWrite) => void;
  readonly onBug: (error: unknown) => void;
  /** A connection was not accepted. One line a second says so, however many there are. */
  readonly onRefused: (code: string) => void;
}

const refusedEveryMs = 1000;

/** Everything that is reported goes to the log, and what is counted to the metrics. */
export function createObservers(log: Logger, clock: Clock, metrics: Metrics): Observers {
  const lines = createLines(log, clock);
  return {
    onRequest: both(lines.onRequest, metrics.onRequest),
    onAttempt: both(lines.onAttempt, metrics.onAttempt),
    onChange: metrics.onChange,
    onFinished: both(lines.onFinished, metrics.onFinished),
    // The request's line says it.
    onRefusal: metrics.onRefusal,
    onUnreachable: both(lines.onUnreachable, metrics.onUnreachable),
    onSocketClosed: lines.onSocketClosed,
    onCommit: metrics.observeJournalCommit,
    onRecordWrite: metrics.onRecordWrite,
    onBug: both(lines.onBug, metrics.onBug),
    onRefused: both(lines.onRefused, metrics.onRefused),
  };
}

function both<Report extends readonly unknown[]>(
  first: (...report: Report) => void,
  second: (...report: Report) => void,
): (...report: Report) => void {
  return (...report) => {
    first(...report);
    second(...report);
  };
}

type Lines = Omit<Observers, 'onChange' | 'onRefusal' | 'onCommit' | 'onRecordWrite'>;

/**
 * The fields are an allow-list (docs/operating lists them): no payload, macaroon, secret, header or path of a
 * destination is ever among them, because nothing here takes one.
 */
function createLines(log: Logger, clock: Clock): Lines {
  let refusedAtMs = -Infinity;
  return {
    onRequest: (report) => log[report.level](requestFields(report), 'request'),
    onAttempt: (report) => log[attemptLevel(report)](attemptFields(report), 'attempt'),
    onFinished: (job) => log[jobLevel(job)](jobFields(job), 'job'),
    onUnreachable(destination, reason) {
      log.info({ destination: cut(destination.origin), reason }, 'unreachable');
    },
    onSocketClosed: (report) => log.info(socketFields(report), 'websocket'),
    onBug(error) {
      log.error(bugFields(error), 'bug');
    },
    onRefused(code) {
      const nowMs = clock.monotonicMs();
      if (nowMs - refusedAtMs < refusedEveryMs) return;
      refusedAtMs = nowMs;
      log.warn({ code }, 'connections not accepted');
    },
  };
}

/** The same observers, and before them another one that is told what becomes of exports. */
export function observeAlso(
  observers: Observers,
  also: Pick<Observers, 'onAttempt' | 'onChange' | 'onRefusal'>,
): Observers {
  return {
    ...observers,
    onAttempt: both(also.onAttempt, observers.onAttempt),
    onChange: both(also.onChange, observers.onChange),
    onRefusal: both(also.onRefusal, observers.onRefusal),
  };
}

type Fields = Readonly<Record<string, string | number | undefined>>;

function requestFields(report: RequestReport): Fields {
  const { requestId, method, route, status, durationMs, failure, job, subject } = report;
  const { action, owner, destination, dataBytes } = subject;
  return {
    request_id: requestId,
    method,
    route,
    action,
    status,
    code: failure?.code,
    rule: failure?.code === 'destination_refused' ? failure.rule : undefined,
    caveat: failure?.code === 'caveat_not_satisfied' ? caveatKind(failure.caveat) : undefined,
    owner: ownerField(owner),
    destination: destination === undefined ? undefined : cut(destination.origin),
    bytes: dataBytes,
    job_id: job?.id,
    trace_id: traceField(subject.traceparent ?? job?.traceparent),
    duration_ms: round(durationMs),
  };
}

/** What a caveat is about; the rest of it, such as a whole destination, is the client's affair. */
function caveatKind(caveat: string): string {
  return (
    /^(?:target|path|method|destination|time|job|action|bytes|sha256) /.exec(caveat)?.[0].trim() ?? 'other'
  );
}

// Written out in both kinds of line, what left from whom and where to: to spread an object into another takes longer
// than all the rest of a line.
function attemptFields({ job, outcome, durationMs, retryInMs }: AttemptReport): Fields {
  const error = outcome.kind === 'failed' ? outcome.error : undefined;
  return {
    job_id: job.id,
    trace_id: traceField(job.traceparent),
    owner: ownerField(job.owner),
    destination: cut(job.destination.origin),
    bytes: job.dataBytes,
    span_id: job.traceparent === undefined ? undefined : spanIdOf(job.id, job.attempts),
    attempt: job.attempts,
    status: outcome.kind === 'answered' ? outcome.answer.statusCode : undefined,
    code: error?.code,
    // The same as the rule, where there is one.
    reason: error?.rule === undefined ? error?.internal : undefined,
    rule: error?.rule,
    duration_ms: round(durationMs),
    retry_in_ms: retryInMs,
  };
}

function jobFields(job: Job): Fields {
  const { result, createdAtMs, updatedAtMs } = job;
  const begunAtMs = job.attemptRecords[0]?.begunAtMs;
  return {
    job_id: job.id,
    trace_id: traceField(job.traceparent),
    owner: ownerField(job.owner),
    destination: cut(job.destination.origin),
    bytes: job.dataBytes,
    attempts: job.attempts,
    status: result?.kind === 'answered' ? result.answer.statusCode : undefined,
    code: result?.kind === 'gave_up' ? result.error.code : undefined,
    queued_ms: (begunAtMs ?? updatedAtMs) - createdAtMs,
    duration_ms: updatedAtMs - createdAtMs,
  };
}

/** Absent where it is empty, as it mostly is. */
function ownerField(owner: string | undefined): string | undefined {
  return owner === undefined || owner === '' ? undefined : cut(owner);
}

function traceField(traceparent: Traceparent | undefined): string | undefined {
  return traceparent === undefined ? undefined : traceIdOf(traceparent);
}

function socketFields({ durationMs, closeCode, frames, pushes }: SocketReport): Fields {
  return { close_code: closeCode, frames, pushes, duration_ms: round(durationMs) };
}

/** That a destination fails is its own affair; what points at an attack or at our limits stands out. */
function attemptLevel({ outcome }: AttemptReport): 'info' | 'warn' {
  return outcome.kind === 'failed' && outcome.error.rule !== undefined ? 'warn' : 'info';
}

function jobLevel({ result }: Job): 'info' | 'warn' {
  const code = result?.kind === 'gave_up' ? result.error.code : undefined;
  return code === 'expired' || code === 'interrupted' ? 'warn' : 'info';
}

/** Milliseconds to a microsecond. */
function round(durationMs: number): number {
  return Math.round(durationMs * 1000) / 1000;
}
