import { rfc3339 } from '../instant.js';
import type { AttemptRecord, AttemptResult } from '../job/attempt_record.js';
import type { Job, JobState } from '../job/job.js';
import { statusLine } from './status_line.js';

/** One step of a job, as `?events=true` shows it. */
interface JobEvent {
  /** RFC 3339, UTC, milliseconds. */
  readonly at: string;
  readonly state: JobState;
  /** From 1; absent where no attempt is meant. */
  readonly attempt?: number;
  readonly detail: string;
}

/** Every step the job took, in order: acceptance, the beginning and the end of each attempt, and its own end. */
export function eventsOf(job: Job): readonly JobEvent[] {
  return [
    { at: rfc3339(job.createdAtMs), state: 'Pending', detail: 'accepted' },
    ...job.attemptRecords.flatMap((record, index) => attemptEvents(record, index + 1)),
    ...endOf(job),
  ];
}

function attemptEvents(record: AttemptRecord, attempt: number): readonly JobEvent[] {
  const { begunAtMs, endedAtMs, result, retryInMs } = record;
  const state = 'Processing';
  const begun: JobEvent = { at: rfc3339(begunAtMs), state, attempt, detail: 'attempt begun' };
  if (endedAtMs === undefined || result === undefined) return [begun];
  const again = retryInMs === undefined ? '' : `, again in ${retryInMs} ms`;
  return [begun, { at: rfc3339(endedAtMs), state, attempt, detail: describe(result) + again }];
}

function endOf({ result, updatedAtMs }: Job): readonly JobEvent[] {
  if (result === undefined) return [];
  const outcome = result.kind === 'answered' ? result.answer.statusCode : result.error.code;
  return [{ at: rfc3339(updatedAtMs), state: 'Finished', detail: describe(outcome) }];
}

function describe(result: AttemptResult): string {
  return typeof result === 'number' ? statusLine(result) : result;
}
