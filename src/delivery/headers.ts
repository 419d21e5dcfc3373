import { signatureHeaders } from './sign.js';

/** Headers that an app adds to its delivery, spelt as the app spelt them. */
export type CustomHeaders = readonly (readonly [name: string, value: string])[];

/** What the headers of one attempt are made of. */
export interface HeadersInput {
  /** Checked when the job was submitted: none of the names that are the relay's own is among them. */
  readonly headers: CustomHeaders;
  readonly data: string;
  readonly idempotencyKey: string;
  /** Ties the destination's spans to the trace of whoever submitted the job. */
  readonly traceparent?: string | undefined;
  /** When the attempt begins, in milliseconds since 1970. */
  readonly nowMs: number;
  readonly userAgent: string;
  /** Standard Webhooks keys, in the order they are to be tried; none leaves deliveries unsigned. */
  readonly signingKeys: readonly Uint8Array[];
}

/** Headers that an app may put its own in place of. */
const defaults = (userAgent: string, traceparent: string | undefined): CustomHeaders => [
  ['content-type', 'application/json'],
  ['user-agent', userAgent],
  ...(traceparent === undefined ? [] : [['traceparent', traceparent] as const]),
];

/** The headers of one attempt, names and values in turn, as undici takes them. */
export function requestHeaders(input: HeadersInput): string[] {
  const { headers, data, idempotencyKey, traceparent, nowMs, userAgent, signingKeys } = input;
  const given = new Set(headers.map(([name]) => name.toLowerCase()));
  const signed = { id: idempotencyKey, timestampSeconds: Math.floor(nowMs / 1000), body: data };
  return [
    ...defaults(userAgent, traceparent).filter(([name]) => !given.has(name)),
    ...headers,
    ['idempotency-key', idempotencyKey] as const,
    ...signatureHeaders(signed, signingKeys),
  ].flat();
}
