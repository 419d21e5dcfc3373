import { createHash } from 'node:crypto';
import type { Destination } from '../egress/destination.js';
import type { Verdict } from '../egress/policy.js';
import { type Result, failed } from '../failure.js';
import { type Job, parseJobId } from '../job/job.js';
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
}

/** A long poll's way of waiting, and how to notice that its client has gone. */
export interface Waiting extends PollOptions {
  readonly signal: AbortSignal;
}

type Submission = Extract<ExportRequest, { action: 'submit' }>;
type Question = Exclude<ExportRequest, { action: 'submit' }>;

/** Serves requests whose macaroon is verified: the content caveats, the policy, and then the registry. */
export class Exports {
  readonly #options: ExportsOptions;

  constructor(options: ExportsOptions) {
    this.#options = options;
  }

  async submit(request: Submission, macaroon: VerifiedMacaroon): Promise<Result<Job>> {
    const { destination, data, dataBytes } = request;
    const verdict = checkJob(macaroon, {
      action: 'submit',
      data: { bytes: dataBytes, sha256Hex: () => createHash('sha256').update(data).digest('hex') },
    });
    if (!verdict.satisfied) return caveatFailure(verdict);
    const covered = checkDestination(macaroon, destination);
    if (!covered.satisfied) return caveatFailure(covered);
    const refused = this.#refusal(destination, macaroon);
    if (refused !== undefined) return refused;
    return this.#options.registry.submit({
      owner: macaroon.identifier,
      destination,
      data,
      dataBytes,
      expiresAtMs: expiresAtMs(macaroon),
    });
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
    return cancelled === undefined ? unknownJob : { ok: true, value: cancelled };
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

/** One answer for no such job, another owner's, and one outside the macaroon's destinations. */
const unknownJob = failed({
  code: 'unknown_job',
  detail: 'There is no job with this id that this macaroon may see.',
});

function mayOpen(job: Job, macaroon: VerifiedMacaroon): boolean {
  return job.owner === macaroon.identifier && checkDestination(macaroon, job.destination).satisfied;
}
