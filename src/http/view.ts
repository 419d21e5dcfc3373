import { rfc3339 } from '../instant.js';
import type { Job, JobErrorCode, JobResult } from '../job/job.js';
import { eventsOf } from './events_view.js';
import type { DryRun } from './exports.js';
import { statusLine } from './status_line.js';

/** The gateway status of a job that the relay gave up: the destination never answered, so one stands in for it. */
export const gatewayStatus: Readonly<Record<JobErrorCode, 502 | 503 | 504>> = {
  connect_failed: 502,
  dns_failed: 502,
  tls_failed: 502,
  connection_reset: 502,
  bad_response: 502,
  destination_refused: 502,
  timeout: 504,
  expired: 504,
  cancelled: 503,
  interrupted: 503,
};

/** A job as clients see it, as text. */
export function viewOf(job: Job, { events = false } = {}): string {
  return JSON.stringify(events ? { ...membersOf(job), events: eventsOf(job) } : membersOf(job));
}

/** Below this it costs less to make a view than to keep it. */
const largeBody = 16 * 1024;

/**
 * A job as clients see it, in UTF-8. Of a large answer there is one for all who read it in the same turn of the event
 * loop: a thousand connections that do not take theirs then wait for the same bytes.
 */
export class JobViews {
  readonly #plain = new Map<Job, Buffer>();
  readonly #withEvents = new Map<Job, Buffer>();

  of(job: Job, { events }: { readonly events: boolean }): string | Buffer {
    const { result } = job;
    if (result?.kind !== 'answered' || result.answer.body.length < largeBody) return viewOf(job, { events });
    const views = events ? this.#withEvents : this.#plain;
    const known = views.get(job);
    if (known !== undefined) return known;
    if (this.#plain.size + this.#withEvents.size === 0) setImmediate(() => this.#forget());
    const view = Buffer.from(viewOf(job, { events }));
    views.set(job, view);
    return view;
  }

  #forget(): void {
    this.#plain.clear();
    this.#withEvents.clear();
  }
}

/** A job as clients see it. `id`, `state` and `ext_response` come first, as they always did. */
export function membersOf(job: Job): Readonly<Record<string, unknown>> {
  return {
    id: job.id,
    state: job.state,
    ext_response: job.result === undefined ? {} : responseOf(job.result, job.attempts),
    created_at: rfc3339(job.createdAtMs),
    updated_at: rfc3339(job.updatedAtMs),
    attempts: job.attempts,
  };
}

/** The answer to a dry run, with the empty id of what does not exist. */
export function viewOfDryRun({ destination, addresses, caveats }: DryRun): string {
  return JSON.stringify({ id: '', dry_run: { destination, addresses, caveats } });
}

export function entityTagOf(job: Job): string {
  return `"${job.version}"`;
}

function responseOf(result: JobResult, attempts: number): Record<string, unknown> {
  if (result.kind === 'gave_up') {
    const statusCode = gatewayStatus[result.error.code];
    const { code, message } = result.error;
    return {
      status: statusLine(statusCode),
      body: '',
      status_code: statusCode,
      headers: {},
      error: { code, message, attempts },
    };
  }
  const { statusCode, body, headers, encoding, truncated } = result.answer;
  return {
    status: statusLine(statusCode),
    body,
    status_code: statusCode,
    headers,
    ...(encoding === 'base64' ? { encoding } : {}),
    ...(truncated ? { truncated } : {}),
  };
}
