import { type FieldError, type Result, success } from '../failure.js';
import { invalidRequest } from './invalid_request.js';

/** How a long poll is to wait, from its query and headers. */
export interface PollOptions {
  readonly waitMs: number;
  readonly until: 'change' | 'Finished';
  readonly knownVersion?: number;
}

/** How long a long poll waits that does not say. */
export const defaultWaitSeconds = 5;

/**
 * Reads `?timeout=` (seconds, decimals allowed), else `Prefer: wait=`, else 5; clamped to 0 … `maxWaitMs`. What is no
 * finite number means the default; of a repeated value the first counts.
 */
export function parsePollOptions(
  query: URLSearchParams,
  headers: { readonly prefer: string | undefined; readonly ifNoneMatch: string | undefined },
  maxWaitMs: number,
): Result<PollOptions> {
  const mistake = untilMistake(query);
  if (mistake !== undefined) return invalidRequest([mistake]);
  const seconds = finiteNumber(query.get('timeout') ?? preferredWait(headers.prefer)) ?? defaultWaitSeconds;
  const knownVersion = versionOf(headers.ifNoneMatch);
  return success({
    waitMs: Math.min(Math.max(seconds * 1000, 0), maxWaitMs),
    until: query.has('until') ? 'Finished' : 'change',
    ...(knownVersion === undefined ? {} : { knownVersion }),
  });
}

/** What is wrong with `?until=`: it is checked on every request, though only a long poll waits. */
export function untilMistake(query: URLSearchParams): FieldError | undefined {
  const until = query.get('until');
  return until === null || until === 'Finished'
    ? undefined
    : { field: 'until', message: 'must be Finished, or absent' };
}

/** A decimal number, or `undefined`. `Number` alone would read "" as 0 and "0x10" as 16. */
function finiteNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?\s*$/i.test(text))
    return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** `wait` of RFC 7240. */
function preferredWait(prefer: string | undefined): string | undefined {
  return /(?:^|,)\s*wait\s*=\s*"?([^",;\s]+)/i.exec(prefer ?? '')?.[1];
}

/** The version that an entity tag names; the first of several. Anything else is as good as no header. */
function versionOf(ifNoneMatch: string | undefined): number | undefined {
  const digits = /^\s*(?:W\/)?"(\d{1,15})"/.exec(ifNoneMatch ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}
