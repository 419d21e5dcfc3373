import type { JobErrorCode } from './job.js';

/** What an attempt came to: the destination's status code, or why there is none. */
export type AttemptResult = number | JobErrorCode;

/** One attempt as `events` tells it. Times are wall clock; all but the beginning is unknown while it is in flight. */
export interface AttemptRecord {
  readonly begunAtMs: number;
  readonly endedAtMs: number | undefined;
  readonly result: AttemptResult | undefined;
  /** From its end to the next attempt; `undefined` if none was planned. */
  readonly retryInMs: number | undefined;
}

export function beginRecord(begunAtMs: number): AttemptRecord {
  return { begunAtMs, endedAtMs: undefined, result: undefined, retryInMs: undefined };
}

/** The records with the last one ended; as they are if none is open. */
export function endRecord(
  records: readonly AttemptRecord[],
  result: AttemptResult,
  endedAtMs: number,
  retryInMs?: number,
): readonly AttemptRecord[] {
  const last = records.at(-1);
  if (last === undefined || last.endedAtMs !== undefined) return records;
  return [...records.slice(0, -1), { begunAtMs: last.begunAtMs, endedAtMs, result, retryInMs }];
}

/** Whether data left: `maybe` where a connection stood, or may have stood, and no answer came. */
export type Left = 'no' | 'maybe' | 'yes';

/** What the ends of attempts tell of that; one whose end is not known may have brought the data. */
export function leftIn(records: readonly AttemptRecord[]): Left {
  let left: Left = 'no';
  for (const { result } of records) {
    if (typeof result === 'number') return 'yes';
    if (!stayed.has(result)) left = 'maybe';
  }
  return left;
}

/** With these no connection stood, so nothing was sent. TLS can also fail on one that stands. */
const stayed: ReadonlySet<AttemptResult | undefined> = new Set<AttemptResult>([
  'connect_failed',
  'dns_failed',
  'destination_refused',
]);
