import type { FailedJob, Job, JobError } from './job.js';
import type { Problem, ProblemField } from './problem.js';

interface About {
  readonly job?: Job | undefined;
  readonly cause?: unknown;
}

/** What every rejection of the library is, apart from bugs and from what a callback throws. */
export abstract class ExportError extends Error {
  /** The job as it was last seen, if the relay had accepted one: ask about it later by `job.id`. */
  readonly job: Job | undefined;

  constructor(message: string, { job, cause }: About = {}) {
    super(message, cause === undefined ? {} : { cause });
    this.name = new.target.name;
    this.job = job;
  }

  /** The same error, about this job. */
  abstract about(job: Job): ExportError;
}

/** The relay answered with a problem. */
export class RelayProblemError extends ExportError {
  readonly problem: Problem;
  /** After how many ms the relay suggests to try again. */
  readonly retryAfterMs: number | undefined;

  constructor(
    problem: Problem,
    { retryAfterMs, ...about }: About & { retryAfterMs?: number | undefined } = {},
  ) {
    super(`the relay answered ${problem.status} ${problem.code}: ${problem.detail}`, about);
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }

  /** The HTTP status. */
  get status(): number {
    return this.problem.status;
  }

  /** What went wrong, for programs, such as `caveat_not_satisfied`. */
  get code(): string {
    return this.problem.code;
  }

  /** What went wrong, for people. */
  get detail(): string {
    return this.problem.detail;
  }

  /** Names the request in the relay's log. */
  get requestId(): string | undefined {
    return this.problem.requestId;
  }

  /** The offending fields, where the code is `invalid_request`. */
  get errors(): readonly ProblemField[] | undefined {
    return this.problem.errors;
  }

  /** The caveat that is not satisfied, where the code is `caveat_not_satisfied`. */
  get caveat(): string | undefined {
    return this.problem.caveat;
  }

  /** The rule that refuses the destination, where the code is `destination_refused`. */
  get rule(): string | undefined {
    return this.problem.rule;
  }

  about(job: Job): RelayProblemError {
    return new RelayProblemError(this.problem, { retryAfterMs: this.retryAfterMs, job });
  }
}

/** The relay could not be reached, or what answered is no relay. `cause` says why. */
export class RelayConnectionError extends ExportError {
  about(job: Job): RelayConnectionError {
    return new RelayConnectionError(this.message, { job, cause: this.cause });
  }
}

/** The time that the call was given is over. The job, if there is one, goes on without the caller. */
export class ExportTimeoutError extends ExportError {
  about(job: Job): ExportTimeoutError {
    return new ExportTimeoutError(this.message, { job, cause: this.cause });
  }
}

/** The caller aborted the call; `cause` is the signal's reason. The job, if there is one, goes on: see `cancel`. */
export class ExportAbortedError extends ExportError {
  constructor(message: string, about?: About) {
    super(message, about);
    // What `fetch` and others call it.
    this.name = 'AbortError';
  }

  about(job: Job): ExportAbortedError {
    return new ExportAbortedError(this.message, { job, cause: this.cause });
  }
}

/** The relay gave up: the destination never answered. */
export class ExportFailedError extends ExportError {
  /** Always there: the job that failed. */
  declare readonly job: FailedJob;

  constructor(job: FailedJob) {
    super(`the export failed (${job.error.code}): ${job.error.message}`, { job });
  }

  /** Such as `timeout`, `dns_failed` or `cancelled`. */
  get code(): string {
    return this.job.error.code;
  }

  get failure(): JobError {
    return this.job.error;
  }

  about(): this {
    return this;
  }
}
