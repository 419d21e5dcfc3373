import test, { type ExecutionContext } from 'ava';
import { eventually } from './eventually.js';
import { type Behaviour, type RawRequest, startRawDestination } from './raw_destination.js';
import { type JobJson, type RelayUnderTest, type StartOptions, startRelay } from './relay.js';
import type { Cleanup } from './scripted_destination.js';

/** For what all tests of a file share: it is released after them. */
export function laterTeardown(): Cleanup {
  const stops: (() => unknown)[] = [];
  test.after.always(async () => {
    for (const stop of stops) await stop();
  });
  return { teardown: (stop) => stops.push(stop) };
}

/** One relay for all tests of a file, which stops after them. */
export function sharedRelay(flags: readonly string[], options?: StartOptions): Promise<RelayUnderTest> {
  return startRelay(laterTeardown(), flags, options);
}

/** What becomes of a job whose destination misbehaves once and then behaves. */
export interface Outcome {
  readonly status: string;
  /** Default: that of the destination once it behaves. */
  readonly body?: string;
  readonly error?: string;
  readonly truncated?: true;
  /** Default: 1. With 2 the first attempt was tried again, and the second got the answer. */
  readonly attempts?: number;
}

/** The second attempt's answer. */
export const triedAgain: Outcome = { status: '200 OK', body: 'fine!', attempts: 2 };

/** Given up after one attempt. */
export function givenUp(error: string, status = '502 Bad Gateway'): Outcome {
  return { status, body: '', error };
}

/** As much of a job as `Outcome` speaks of. */
export function outcomeOf(job: JobJson): Outcome {
  const { status = '', body = '', error, truncated } = job.ext_response;
  return {
    status,
    body,
    ...(error !== undefined && { error: error.code }),
    ...(truncated === true && { truncated }),
    attempts: job.attempts,
  };
}

/**
 * Sends two jobs of one lane to a destination that misbehaves on its first connection: the first must end as
 * expected, the second must get through, and no request may come twice but under one key.
 */
export async function expectOutcome(
  t: ExecutionContext,
  relay: RelayUnderTest,
  behaviour: Behaviour,
  expected: Outcome,
): Promise<void> {
  const destination = await startRawDestination(t, [behaviour]);
  const ids = await Promise.all(
    ['{"job":1}', '{"job":2}'].map(async (data) => (await relay.submit(destination.url, data)).json.id),
  );
  const [first, second] = await Promise.all(ids.map((id) => relay.finished(id)));
  if (first === undefined || second === undefined) throw new Error('two jobs were submitted');
  t.deepEqual(outcomeOf(first), { attempts: 1, body: 'fine!', ...expected });
  t.deepEqual(outcomeOf(second), { status: '200 OK', body: 'fine!', attempts: 1 }, 'the lane goes on');
  sameKeys(t, destination.requests);
  await eventually(() => destination.open() <= 1);
}

/** A job's requests all have its key, and no two jobs share one. */
function sameKeys(t: ExecutionContext, requests: readonly RawRequest[]): void {
  const keys = new Map<string, string>();
  for (const { body, idempotencyKey } of requests) {
    t.regex(idempotencyKey, /^[0-9a-f-]{36}$/);
    t.is(keys.get(body) ?? idempotencyKey, idempotencyKey);
    keys.set(body, idempotencyKey);
  }
  t.is(new Set(keys.values()).size, keys.size);
}
