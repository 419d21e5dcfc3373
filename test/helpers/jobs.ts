import type { AttemptOutcome, DestinationAnswer } from '#relay/delivery/outcome.js';
import type { Deliver, Delivery } from '#relay/delivery/send.js';
import { type Destination, parseDestination } from '#relay/egress/destination.js';
import type { Job, JobId, NewJob } from '#relay/job/job.js';
import { LocalRegistry, type LocalRegistryOptions } from '#relay/job/local_registry.js';
import type { JobRegistry } from '#relay/job/registry.js';
import { FakeClock } from './fake_clock.js';

export function destination(text = 'https://receiver.example/in'): Destination {
  const parsed = parseDestination(text);
  if (!parsed.ok) throw new Error(`${text} ${parsed.reason}`);
  return parsed.destination;
}

/** What the uri of a `newJob` counts towards the memory limit: it is held as it was written and normalised. */
export const uriBytes = destination().text.length + destination().href.length;

export function newJob(overrides: Partial<NewJob> = {}): NewJob {
  return {
    owner: '',
    destination: destination(),
    data: '{}',
    dataBytes: 2,
    expiresAtMs: undefined,
    ...overrides,
  };
}

export function answered(statusCode = 200, overrides: Partial<DestinationAnswer> = {}): AttemptOutcome {
  return {
    kind: 'answered',
    answer: { statusCode, headers: {}, body: 'ok', encoding: 'utf-8', truncated: false, ...overrides },
  };
}

export function failedWith(
  code: 'connect_failed' | 'timeout' | 'tls_failed' | 'bad_response',
): AttemptOutcome {
  return { kind: 'failed', error: { code, message: `it was ${code}` } };
}

interface Flight {
  readonly delivery: Delivery;
  readonly land: (outcome: AttemptOutcome) => void;
}

/** A destination under the test's control: attempts wait here until the test ends them. */
export class HeldDeliveries {
  readonly flights: Flight[] = [];
  /** Ids in the order their attempts began. */
  readonly begun: string[] = [];

  readonly deliver: Deliver = (delivery) =>
    new Promise((land) => {
      this.begun.push(delivery.idempotencyKey);
      this.flights.push({ delivery, land });
    });

  /** Ends the attempt that has been in flight longest. */
  land(outcome: AttemptOutcome): void {
    const flight = this.flights.shift();
    if (flight === undefined) throw new Error('no attempt is in flight');
    flight.land(outcome);
  }
}

export interface RegistryUnderTest {
  readonly registry: LocalRegistry;
  readonly clock: FakeClock;
  readonly held: HeldDeliveries;
  readonly finished: Job[];
}

export function createRegistry(
  overrides: Partial<LocalRegistryOptions> = {},
  clock = new FakeClock(),
): RegistryUnderTest {
  const held = new HeldDeliveries();
  const finished: Job[] = [];
  const registry = new LocalRegistry({
    clock,
    deliver: held.deliver,
    random: () => 1,
    onAttempt: () => undefined,
    onBug: (error) => {
      throw error;
    },
    onChange: () => undefined,
    onFinished: (job) => finished.push(job),
    limits: { attempts: 1, attemptTimeoutMs: 30_000, jobTimeoutMs: 600_000 },
    concurrency: 256,
    laneConcurrency: 1,
    maxQueued: 10_000,
    maxQueuedPerLane: 1000,
    maxMemoryBytes: 1 << 20,
    maxKept: 1000,
    maxWaiters: 100,
    resultTtlMs: 3_600_000,
    queueTimeoutMs: 86_400_000,
    ...overrides,
  });
  return { registry, clock, held, finished };
}

/** Submits a job that must be accepted. */
export async function accept(registry: JobRegistry, overrides: Partial<NewJob> = {}): Promise<Job> {
  const result = await registry.submit(newJob(overrides));
  if (!result.ok) throw new Error(`refused: ${result.failure.code}`);
  return result.value;
}

export async function stateOf(registry: JobRegistry, id: JobId): Promise<string | undefined> {
  return (await registry.get(id))?.state;
}
