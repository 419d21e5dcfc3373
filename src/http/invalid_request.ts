import { type FieldError, type Result, failed, success } from '../failure.js';

/** Refuses a request for the fields, query parameters or headers that are named. */
export function invalidRequest(errors: readonly FieldError[]): Result<never> {
  const fields = errors.map(({ field, message }) => `${field} ${message}`.trim());
  return failed({ code: 'invalid_request', detail: `${fields.join('; ')}.`, errors });
}

/** Both values, or what is wrong: where both parts of a request are invalid, the fields of both. */
export function together<First, Second>(
  first: Result<First>,
  second: Result<Second>,
): Result<readonly [First, Second]> {
  if (first.ok) return second.ok ? success([first.value, second.value]) : second;
  if (second.ok || first.failure.code !== 'invalid_request') return first;
  if (second.failure.code !== 'invalid_request') return second;
  return invalidRequest([...first.failure.errors, ...second.failure.errors]);
}
