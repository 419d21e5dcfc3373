import { createHash } from 'node:crypto';
import type { Destination } from '../egress/destination.js';
import type { Verdict } from '../egress/policy.js';
import { type Failure, type Result, failed, success } from '../failure.js';
import { type Job, type NewJob, parseJobId } from '../job/job.js';
import type { JobRegistry } from '../job/registry.js';
import { checkDestination, checkJob, expiresAtMs, namesDestination } from '../macaroon/caveats.js';
import type { VerifiedMacaroon } from '../macaroon/verify.js';
import { caveatFailure } from './authenticate.js';
import type { ExportRequest } from './export_request.js';
import type { PollOptions } from './poll_options.js';

export interface ExportsOptions {
  readonly registry: JobRegistry;
  /** The egress policy, on what the URL says. */
  readonly judgeDestination: (destination: Destination) => Verdict;
  /** Refuse submissions whose macaroon names no destination. */
  readonly requireDestination: boolean;
  /** What a delivery would find now, DNS included; for dry runs, and bounded in time. */
  readonly reach: (destination: Destination) => Promise<Reach>;
  /** Told of each submission that macaroon or policy did not permit. */
  readonly onRefusal: (report: RefusalReport) => void;
}

/** A submission that did not become a job because it was not permitted, for the record of what was refused. */
export interface RefusalReport {
  /** The identifier of the macaroon it came with. */
  readonly owner: string;
  readonly destination: Destination;
  readonly purpose: string | undefined;
  /** Size of the data in UTF-8. */
  readonly dataBytes: number;
  /** SHA-256 of the data, in hex; computed when it is asked for. */
  readonly dataSha256: () => string;
  readonly failure: Failure;
}

type Reach =
  | { readonly kind: 'reachable'; readonly addresses: readonly string[] }
  | { readonly kind: 'unreachable' | 'busy' };

/** What a new job would have been, had it not been a dry run. */
export interface DryRun {
  /** The uri, normalised. */
  readonly destination: string;
  /** What a delivery would choose from, each of them vetted. */
  readonly addresses: readonly string[];
  /** Of the macaroon, in its order; all are satisfied. */
  readonly caveats: readonly string[];
}

/** A long poll's way of waiting, and how to notice that its client has gone. */
export interface Waiting extends PollOptions {
  readonly signal: AbortSignal;
}

type Submission = Extract<ExportRequest, { action: 'submit' }>;
type Question = Exclude<ExportRequest, { action: 'submit' }>;

/**
 * Serves requests whose macaroon is verified: the content caveats, the policy, and then the registry. Knows nothing of
 * how a request came.
 */
export class Exports {
  readonly #options: ExportsOptions;

  constructor(options: ExportsOptions) {
    this.#options = options;
  }

  /** Queues a new job; with an idempotency key that a kept job has, answers with that job instead. */
  async submit(
    request: Submission,
    macaroon: VerifiedMacaroon,
    idempotencyKey?: string,
  ): Promise<Result<Job>> {
    const { registry } = this.#options;
    const newJob = this.#judge(request, macaroon, idempotencyKey);
    if (!newJob.ok) {
      this.#reportRefusal(request, macaroon, newJob.failure);
      return newJob;
    }
    const result = await registry.submit(newJob.value);
    if (result.ok && result.value.state === 'Finished') registry.markRead(result.value.id);
    return result;
  }

  /** Runs every check that a submission meets, and the name's resolution, and queues nothing. */
  async dryRun(
    request: Submission,
    macaroon: VerifiedMacaroon,
    idempotencyKey?: string,
  ): Promise<Result<DryRun>> {
    const newJob = this.#judge(request, macaroon, idempotencyKey);
    if (!newJob.ok) return newJob;
    const failure = await this.#options.registry.check(newJob.value);
    if (failure !== undefined) return failed(failure);
    const reach = await this.#options.reach(request.destination);
    if (reach.kind !== 'reachable') return reach.kind === 'busy' ? tooManyDryRuns : unreachable;
    const caveats = macaroon.caveats.map(({ text }) => text);
    return success({ destination: request.destination.href, addresses: reach.addresses, caveats });
  }

  /** The job that a submission amounts to, if macaroon and policy permit it. */
  #judge(
    request: Submission,
    macaroon: VerifiedMacaroon,
    idempotencyKey: string | undefined,
  ): Result<NewJob> {
    const { action, destination, data, dataBytes, headers, purpose, traceparent } = request;
    const verdict = checkJob(macaroon, {
      action,
      data: { bytes: dataBytes, sha256Hex: () => sha256HexOf(data) },
    });
    if (!verdict.satisfied) return caveatFailure(verdict);
    const covered = checkDestination(macaroon, destination);
    if (!covered.satisfied) return caveatFailure(covered);
    const refused = this.#refusal(destination, macaroon);
    if (refused !== undefined) return refused;
    return success({
      owner: macaroon.identifier,
      destination,
      data,
      dataBytes,
      headers,
      purpose,
      idempotencyKey,
      traceparent,
      expiresAtMs: expiresAtMs(macaroon),
    });
  }

  #reportRefusal(
    { destination, purpose, data, dataBytes }: Submission,
    { identifier: owner }: VerifiedMacaroon,
    failure: Failure,
  ): void {
    const dataSha256 = (): string => sha256HexOf(data);
    this.#options.onRefusal({ owner, destination, purpose, dataBytes, dataSha256, failure });
  }

  /** Answers about a known job: as it is, once it has changed, or after cancelling it. */
  async ask(request: Question, macaroon: VerifiedMacaroon, waiting?: Waiting): Promise<Result<Job>> {
    const { registry } = this.#options;
    const { action } = request;
    const id = parseJobId(request.id);
    const verdict = checkJob(macaroon, { action, jobId: id ?? request.id });
    if (!verdict.satisfied) return caveatFailure(verdict);
    const job = id === undefined ? undefined : await registry.get(id);
    if (job === undefined || !mayOpen(job, macaroon)) return unknownJob;
    const result = await this.#answer(job, action, waiting);
    if (result.ok && result.value.state === 'Finished') registry.markRead(job.id);
    return result;
  }

  async #answer(job: Job, action: Question['action'], waiting: Waiting | undefined): Promise<Result<Job>> {
    const { registry } = this.#options;
    if (action === 'poll') {
      return waiting === undefined ? { ok: true, value: job } : registry.watch(job.id, waiting);
    }
    const cancelled = await registry.cancel(job.id);
    return cancelled.ok || cancelled.failure.code !== 'unknown_job' ? cancelled : unknownJob;
  }

  #refusal(destination: Destination, macaroon: VerifiedMacaroon): Result<never> | undefined {
    if (this.#options.requireDestination && !namesDestination(macaroon)) {
      return failed({
        code: 'destination_refused',
        rule: 'require_destination',
        detail: 'The relay takes only macaroons that name their destination in a caveat.',
      });
    }
    const verdict = this.#options.judgeDestination(destination);
    if (verdict.allowed) return undefined;
    return failed({ code: 'destination_refused', rule: verdict.rule, detail: verdict.detail });
  }
}

/** One answer for a name that does not resolve and one that resolves to what exports may not reach. */
const unreachable = failed({
  code: 'destination_refused',
  rule: 'unresolvable',
  detail: 'The name of the destination does not resolve to an address that exports may reach.',
});

const tooManyDryRuns = failed({
  code: 'queue_full',
  retryAfterSeconds: 1,
  detail: 'Too many dry runs wait for a name to be resolved.',
});

/** One answer for no such job, another owner's, and one outside the macaroon's destinations. */
const unknownJob = failed({
  code: 'unknown_job',
  detail: 'There is no job with this id that this macaroon may see.',
});

function sha256HexOf(data: string): string {
  return createHash('sha256').update(data).digest('hex');
}

function mayOpen(job: Job, macaroon: VerifiedMacaroon): boolean {
  return job.owner === macaroon.identifier && checkDestination(macaroon, job.destination).satisfied;
}
