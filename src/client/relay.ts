import type { Call } from './call.js';
import { ExportTimeoutError, RelayConnectionError, RelayProblemError } from './errors.js';
import { type Job, readJob } from './job.js';
import { allowsPath } from './macaroon.js';
import { backOffMs, isOutage, judgeRetry } from './retry.js';
import {
  type Outcome,
  type RelayAnswer,
  type RelayRequest,
  type TransportOptions,
  askOnce,
} from './transport.js';

/** Something went wrong, and the library is about to try again. */
export interface RetryReport {
  readonly error: RelayProblemError | RelayConnectionError;
  /** When, in ms from now. */
  readonly delayMs: number;
}

export interface RelayOptions extends TransportOptions {
  readonly maxOutageMs: number;
  readonly random: () => number;
  readonly onRetry: (report: RetryReport) => void;
}

/** How long the relay is asked to hold a long poll: shorter than what proxies commonly allow. */
const heldMs = 25_000;
/** An unchanged answer that came sooner was not held. */
const leastHeldMs = 1000;

/** The relay as its questions and answers, each asked until it is answered, refused or out of time. */
export class Relay {
  readonly #options: RelayOptions;
  readonly #onlyPath: RelayRequest['path'] | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#onlyPath = onlyPathOf(options.macaroon);
  }

  /** Asks until there is an answer. Everything that is asked may be asked twice: a submission has its key. */
  async ask(call: Call, request: RelayRequest): Promise<RelayAnswer> {
    const { clock, maxOutageMs, random, onRetry } = this.#options;
    const permitted = this.#onlyPath === undefined ? request : onPath(this.#onlyPath, request);
    let outageSinceMs: number | undefined;
    let lastError: RelayProblemError | RelayConnectionError | undefined;
    for (let failures = 1; ; failures += 1) {
      const outcome = await orLast(askOnce(call, permitted, this.#options), lastError);
      if (outcome.kind === 'answer') return outcome.answer;
      // Since it was noticed: a poll that was held until then says nothing about the time before.
      outageSinceMs = isOutage(outcome) ? (outageSinceMs ?? clock.monotonicMs()) : undefined;
      const error = this.#errorOf(outcome);
      const verdict = judgeRetry(outcome, {
        failures,
        outageMs: outageSinceMs === undefined ? 0 : clock.monotonicMs() - outageSinceMs,
        remainingMs: call.remainingMs,
        maxOutageMs,
        random: random(),
      });
      if (!verdict.retry) throw error;
      onRetry({ error, delayMs: verdict.delayMs });
      lastError = error;
      await call.sleep(verdict.delayMs);
    }
  }

  /** Asks for a job. */
  async askJob(call: Call, request: RelayRequest): Promise<Job> {
    const { document, version } = await this.ask(call, request);
    const job = readJob(document, version);
    if (job === undefined) throw this.notARelay();
    return job;
  }

  /** Long-polls: the job's next states, the last of which is Finished. `known` is what the caller has seen. */
  async *states(call: Call, id: string, known: Job | undefined): AsyncGenerator<Job, void, void> {
    const { clock, random } = this.#options;
    let last = known;
    let hasty = 0;
    while (last?.state !== 'Finished') {
      const startedAtMs = clock.monotonicMs();
      const job = await this.askJob(call, longPoll(id, last));
      if (isNews(job, last)) {
        hasty = 0;
        last = job;
        yield job;
      } else if (clock.monotonicMs() - startedAtMs < leastHeldMs) {
        // A relay that stops, or one that holds nothing: do not spin.
        hasty += 1;
        await call.sleep(backOffMs({ failures: hasty, random: random() }));
      }
    }
  }

  notARelay(): RelayConnectionError {
    return new RelayConnectionError(`what answers at ${this.#options.baseUrl} is not an export relay`);
  }

  #errorOf(outcome: Exclude<Outcome, { kind: 'answer' }>): RelayProblemError | RelayConnectionError {
    if (outcome.kind === 'problem') {
      return new RelayProblemError(outcome.problem, { retryAfterMs: outcome.retryAfterMs });
    }
    const { reason, cause } = outcome;
    return new RelayConnectionError(`no answer from the relay at ${this.#options.baseUrl}: ${reason}`, {
      cause,
    });
  }
}

const paths = ['/export', '/lp/export'] as const;

/** Of the two paths the one that a macaroon is narrowed to; `undefined` where it is to neither, or to another. */
function onlyPathOf(macaroon: string): RelayRequest['path'] | undefined {
  const [first, ...others] = paths.filter((path) => allowsPath(macaroon, path));
  return others.length === 0 ? first : undefined;
}

/** The request on this path: each takes what the other does, but /export holds nothing, and /lp/export has to be told. */
function onPath(path: RelayRequest['path'], request: RelayRequest): RelayRequest {
  if (path === request.path) return request;
  if (path === '/export') return { ...request, path, heldMs: 0 };
  return { ...request, path, query: { ...request.query, timeout: '0' } };
}

/** What nobody has seen yet is asked for as it is; later answers come with a change. */
function longPoll(id: string, last: Job | undefined): RelayRequest {
  const waitMs = last === undefined ? 0 : heldMs;
  return {
    path: '/lp/export',
    query: { timeout: String(waitMs / 1000) },
    headers: last?.version === undefined ? {} : { 'If-None-Match': `"${last.version}"` },
    body: { id },
    heldMs: waitMs,
  };
}

/** Without versions, only a change of state can be noticed. */
export function isNews(job: Job, last: Job | undefined): boolean {
  if (job.state !== last?.state) return true;
  return job.version !== undefined && job.version !== last.version;
}

/** When the time is over while it is tried again, what went wrong before says more than that the time is over. */
async function orLast(trying: Promise<Outcome>, lastError: Error | undefined): Promise<Outcome> {
  try {
    return await trying;
  } catch (error) {
    throw error instanceof ExportTimeoutError && lastError !== undefined ? lastError : error;
  }
}
