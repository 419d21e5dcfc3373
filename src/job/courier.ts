import type { Clock } from '../clock.js';
import { Cancellation } from '../delivery/cancellation.js';
import type { AttemptOutcome } from '../delivery/outcome.js';
import { type RetryLimits, nextStep } from '../delivery/retry.js';
import type { Deliver } from '../delivery/send.js';
import type { AttemptResult } from './attempt_record.js';
import { childTraceparent, spanIdOf } from '../trace_context.js';
import type { Job, JobId, JobResult } from './job.js';
import { interruptionsOf } from './resume.js';

/** One attempt that has ended, for the log. */
export interface AttemptReport {
  readonly job: Job;
  readonly outcome: AttemptOutcome;
  readonly durationMs: number;
  /** Until the next attempt; `undefined` if there is none. */
  readonly retryInMs: number | undefined;
}

export interface CourierOptions {
  readonly clock: Clock;
  readonly limits: RetryLimits & {
    /** One attempt, connect to last byte. */
    readonly attemptTimeoutMs: number;
  };
  readonly deliver: Deliver;
  /** Uniform in [0, 1), for jitter. */
  readonly random: () => number;
  readonly onAttempt: (report: AttemptReport) => void;
  /** Told of an exception in an attempt; the job has ended then. */
  readonly onBug: (error: unknown) => void;
  /** Marks the job's next attempt as begun, with `depart`; `undefined` if there is to be none. */
  readonly begin: (id: JobId) => Job | undefined | Promise<Job | undefined>;
  readonly settle: (id: JobId, result: JobResult) => void;
  /** Notes how an attempt ended that another one will follow. */
  readonly note: (id: JobId, result: AttemptResult, retryInMs: number) => void;
  /** Puts a job that is due again at the front of its lane. */
  readonly requeue: (id: JobId) => void;
}

/** A job between its first attempt and its end. */
interface Voyage {
  readonly startedAtMs: number;
  /** Present from the moment an attempt begins until it ends. */
  flight: Cancellation | undefined;
  /** Present while the job waits for its next attempt. */
  cancelTimer: (() => void) | undefined;
  /** What the job would end with if no other attempt followed. */
  last: JobResult | undefined;
}

/** Makes attempts and decides what follows each: the end, or another one later. */
export class Courier {
  readonly #options: CourierOptions;
  readonly #voyages = new Map<JobId, Voyage>();
  #abandoned = false;

  constructor(options: CourierOptions) {
    this.#options = options;
  }

  /** Makes one attempt. Never rejects: a bug in it ends the job, because its lane would stand still for ever. */
  async attempt(id: JobId): Promise<void> {
    try {
      await this.#attempt(id);
    } catch (error) {
      const message = 'The relay failed during the attempt; whether the data arrived is not known.';
      this.#options.settle(id, { kind: 'gave_up', error: { code: 'interrupted', message } });
      this.#options.onBug(error);
    }
  }

  async #attempt(id: JobId): Promise<void> {
    const begun = this.#options.begin(id);
    const job = begun instanceof Promise ? await begun : begun;
    const voyage = this.#voyages.get(id);
    // Since it began, it may have been recalled.
    if (job === undefined || voyage?.flight === undefined || this.#abandoned) return;
    await this.#fly(job, voyage, voyage.flight);
  }

  async #fly(job: Job, voyage: Voyage, flight: Cancellation): Promise<void> {
    const { id } = job;
    const { clock } = this.#options;
    const begunAtMs = clock.monotonicMs();
    const outcome = await this.#deliver(job, voyage, flight, begunAtMs);
    voyage.flight = undefined;
    const durationMs = clock.monotonicMs() - begunAtMs;
    if (this.#voyages.get(id) !== voyage) {
      // A job that was cancelled in flight has been settled already; that its data may have left is told all the same.
      this.#options.onAttempt({ job, outcome, durationMs, retryInMs: undefined });
      return;
    }
    this.#conclude(job, voyage, outcome, durationMs);
  }

  /** Called in the step in which `begin` marks an attempt as begun: from then on it can be recalled. */
  depart(id: JobId): void {
    this.#voyage(id, this.#options.clock.monotonicMs()).flight = new Cancellation();
  }

  /**
   * Takes up a job that a stop of the relay interrupted; its job timeout begins anew. Without another attempt it ends
   * with `last`.
   */
  resume(id: JobId, delayMs: number, last: JobResult): void {
    const voyage = this.#voyage(id, this.#options.clock.monotonicMs());
    voyage.last = last;
    if (delayMs > 0) this.#requeueIn(delayMs, id, voyage);
    else this.#options.requeue(id);
  }

  /** Ends a job's voyage: an attempt in flight is aborted, a planned one dropped. */
  recall(id: JobId): void {
    const voyage = this.#voyages.get(id);
    this.#voyages.delete(id);
    voyage?.cancelTimer?.();
    voyage?.flight?.cancel();
  }

  /** The destination's answer to the job's last attempt, if it gave one. */
  lastAnswer(id: JobId): JobResult | undefined {
    const last = this.#voyages.get(id)?.last;
    return last?.kind === 'answered' ? resultOf(last) : undefined;
  }

  /** Settles jobs that still wait for another attempt when their job timeout has passed. */
  expire(nowMs: number): void {
    for (const [id, voyage] of this.#voyages) {
      if (voyage.startedAtMs + this.#options.limits.jobTimeoutMs > nowMs) return;
      if (voyage.flight === undefined && voyage.last !== undefined) {
        this.#options.settle(id, voyage.last);
      }
    }
  }

  /** At the stop: aborts what is in flight and drops what is planned, without settling anything. */
  abandon(): void {
    this.#abandoned = true;
    for (const id of [...this.#voyages.keys()]) this.recall(id);
  }

  #voyage(id: JobId, nowMs: number): Voyage {
    let voyage = this.#voyages.get(id);
    if (voyage === undefined) {
      voyage = { startedAtMs: nowMs, flight: undefined, cancelTimer: undefined, last: undefined };
      this.#voyages.set(id, voyage);
    }
    return voyage;
  }

  #deliver(job: Job, voyage: Voyage, cancellation: Cancellation, nowMs: number): Promise<AttemptOutcome> {
    const { attemptTimeoutMs, jobTimeoutMs } = this.#options.limits;
    const remainingMs = Math.max(1, voyage.startedAtMs + jobTimeoutMs - nowMs);
    return this.#options.deliver({
      destination: job.destination,
      data: job.data,
      headers: job.headers,
      idempotencyKey: job.id,
      traceparent: traceparentOf(job),
      nowMs: this.#options.clock.nowMs(),
      timeoutMs: Math.min(attemptTimeoutMs, remainingMs),
      cancellation,
    });
  }

  #conclude(job: Job, voyage: Voyage, outcome: AttemptOutcome, durationMs: number): void {
    const { clock, limits, random, onAttempt, settle, note } = this.#options;
    const step = nextStep(
      {
        outcome,
        attempts: job.attempts - interruptionsOf(job),
        elapsedMs: clock.monotonicMs() - voyage.startedAtMs,
        nowMs: clock.nowMs(),
        random: random(),
      },
      limits,
    );
    const retryInMs = step.kind === 'retry' ? step.delayMs : undefined;
    onAttempt({ job, outcome, durationMs, retryInMs });
    if (retryInMs === undefined) {
      settle(job.id, resultOf(outcome));
      return;
    }
    note(job.id, outcome.kind === 'answered' ? outcome.answer.statusCode : outcome.error.code, retryInMs);
    voyage.last = resultOf(outcome);
    this.#requeueIn(retryInMs, job.id, voyage);
  }

  #requeueIn(delayMs: number, id: JobId, voyage: Voyage): void {
    voyage.cancelTimer = this.#options.clock.after(delayMs, () => {
      voyage.cancelTimer = undefined;
      this.#options.requeue(id);
    });
  }
}

/** Of the job's attempt that has just begun. */
function traceparentOf({ id, attempts, traceparent }: Job): string | undefined {
  return traceparent === undefined ? undefined : childTraceparent(traceparent, spanIdOf(id, attempts));
}

function resultOf(outcome: AttemptOutcome): JobResult {
  if (outcome.kind === 'answered') return { kind: 'answered', answer: outcome.answer };
  return { kind: 'gave_up', error: { code: outcome.error.code, message: outcome.error.message } };
}
