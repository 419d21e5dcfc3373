import { createHash } from 'node:crypto';

/**
 * A client's `traceparent` (W3C Trace Context, level 1), checked: version, trace id, the client's span, flags. Nothing
 * but hexadecimal digits in fixed places, so it may go into headers and logs as it is.
 */
export type Traceparent = string & { readonly __traceparent: unique symbol };

/** Version 00 alone, whose form is known to the last character. All zeros are no ids. */
const form = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

function isTraceparent(text: string): text is Traceparent {
  return form.test(text);
}

/** What is not exactly a `traceparent` is ignored, as the specification has it: undefined. */
export function parseTraceparent(value: unknown): Traceparent | undefined {
  return typeof value === 'string' && isTraceparent(value) ? value : undefined;
}

/** The id that all spans of a trace share: 32 hexadecimal digits. */
export function traceIdOf(traceparent: Traceparent): string {
  return traceparent.slice(3, 35);
}

/**
 * The span of one attempt, 16 hexadecimal digits. Made from the job's id, which is random, so that the log line of an
 * attempt and the header it was sent with agree without anything being kept.
 */
export function spanIdOf(jobId: string, attempt: number): string {
  return createHash('sha256').update(`${jobId} ${attempt}`).digest('hex').slice(0, 16);
}

/** What a destination gets: the same trace and flags, with the attempt's span as the parent of its own. */
export function childTraceparent(traceparent: Traceparent, spanId: string): string {
  return `${traceparent.slice(0, 36)}${spanId}${traceparent.slice(52)}`;
}
