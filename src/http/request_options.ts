import { type FieldError, type Result, success } from '../failure.js';
import { idempotencyKeyForm, isIdempotencyKey } from './idempotency_key.js';
import { invalidRequest } from './invalid_request.js';
import { untilMistake } from './poll_options.js';

/** What a request asks for beside its body: in its query and its headers, the wait of a long poll apart. */
export interface RequestOptions {
  /** Check a new job and queue nothing. */
  readonly dryRun: boolean;
  /** Answer with every step the job took. */
  readonly events: boolean;
  readonly idempotencyKey: string | undefined;
}

/** `idempotencyKeys` are the values of all `Idempotency-Key` headers, undefined where there is none. */
export function parseRequestOptions(
  query: URLSearchParams,
  idempotencyKeys: readonly string[] | undefined,
): Result<RequestOptions> {
  const errors: FieldError[] = [];
  const dryRun = readFlag(query, 'dry_run', errors);
  const events = readFlag(query, 'events', errors);
  const until = untilMistake(query);
  if (until !== undefined) errors.push(until);
  const [idempotencyKey, ...more] = idempotencyKeys ?? [];
  if (more.length > 0) {
    // Not joined by a comma, as for other headers: a comma is as good a character of a key as any.
    errors.push({ field: 'Idempotency-Key', message: 'must not be sent more than once' });
  } else if (idempotencyKey !== undefined && !isIdempotencyKey(idempotencyKey)) {
    errors.push({ field: 'Idempotency-Key', message: idempotencyKeyForm });
  }
  return errors.length > 0 ? invalidRequest(errors) : success({ dryRun, events, idempotencyKey });
}

/** `true` or `1`, `false` or `0`. A word nobody knows must not turn a trial into an export. */
function readFlag(query: URLSearchParams, name: string, errors: FieldError[]): boolean {
  if (!query.has(name)) return false;
  const values = new Set(query.getAll(name).map((word) => flagWords.get(word)));
  if (values.has(undefined)) errors.push({ field: name, message: 'must be true, 1, false or 0' });
  else if (values.size > 1) errors.push({ field: name, message: 'must not say both true and false' });
  return values.has(true);
}

/** What a flag in the query may be, and what it then means. */
export const flagWords: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);
