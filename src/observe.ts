import type { Destination } from './egress/destination.js';
import type { Clock } from './clock.js';
import type { RequestReport } from './http/app.js';
import type { RefusalReport } from './http/exports.js';
import type { AttemptReport } from './job/courier.js';
import type { Job } from './job/job.js';
import { bugFields } from './log/bug.js';
import { type Logger, cut } from './log/logger.js';
import type { SocketReport } from './ws/socket.js';

/**
 * What the parts of the service report, as log lines: one a request, one an attempt, one at the end of a job and of a
 * socket, and one for each submission that was not permitted.
 */
export interface Observers {
  readonly onRequest: (report: RequestReport) => void;
  readonly onAttempt: (report: AttemptReport) => void;
  /** Each accepted job and each change of one. */
  readonly onChange: (job: Job) => void;
  readonly onFinished: (job: Job) => void;
  readonly onRefusal: (report: RefusalReport) => void;
  /** A dry run whose destination has no address that exports may reach: the app does not learn why. */
  readonly onUnreachable: (destination: Destination, reason: string) => void;
  readonly onSocketClosed: (report: SocketReport) => void;
  readonly onBug: (error: unknown) => void;
  /** A connection was not accepted. One line a second says so, however many there are. */
  readonly onRefused: (code: string) => void;
}

const refusedEveryMs = 1000;

/**
 * The fields are an allow-list: no payload, macaroon, secret, header or path of a destination is ever among them,
 * because nothing here takes one.
 */
export function createObservers(log: Logger, clock: Clock): Observers {
  let refusedAtMs = -Infinity;
  return {
    onRequest: (report) => log[report.level](requestFields(report), 'request'),
    onAttempt: (report) => log.info(attemptFields(report), 'attempt'),
    onChange: () => undefined,
    onFinished: (job) => log.info(jobFields(job), 'job'),
    onRefusal: (report) => log.warn(refusalFields(report), 'refused'),
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

type Fields = Readonly<Record<string, string | number | undefined>>;

function requestFields({ requestId, method, route, status, durationMs, code, job }: RequestReport): Fields {
  return {
    request_id: requestId,
    method,
    route,
    status,
    code,
    job_id: job?.id,
    duration_ms: round(durationMs),
  };
}

function attemptFields({ job, outcome, durationMs, retryInMs }: AttemptReport): Fields {
  return {
    job_id: job.id,
    destination: cut(job.destination.origin),
    attempt: job.attempts,
    ...(outcome.kind === 'answered'
      ? { status: outcome.answer.statusCode }
      : { code: outcome.error.code, reason: outcome.error.internal }),
    duration_ms: round(durationMs),
    retry_in_ms: retryInMs,
  };
}

function jobFields(job: Job): Fields {
  const { result } = job;
  return {
    job_id: job.id,
    owner: cut(job.owner),
    destination: cut(job.destination.origin),
    bytes: job.dataBytes,
    attempts: job.attempts,
    ...(result?.kind === 'answered' ? { status: result.answer.statusCode } : { code: result?.error.code }),
    duration_ms: job.updatedAtMs - job.createdAtMs,
  };
}

function refusalFields({ owner, destination, dataBytes, failure }: RefusalReport): Fields {
  return {
    owner: cut(owner),
    destination: cut(destination.origin),
    bytes: dataBytes,
    code: failure.code,
    rule: failure.code === 'destination_refused' ? failure.rule : undefined,
  };
}

function socketFields({ durationMs, closeCode, frames, pushes }: SocketReport): Fields {
  return { close_code: closeCode, frames, pushes, duration_ms: round(durationMs) };
}

/** Milliseconds to a microsecond. */
function round(durationMs: number): number {
  return Math.round(durationMs * 1000) / 1000;
}
