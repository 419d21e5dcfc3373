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
}

/** What is the same for all attempts. */
export interface SenderHeaders {
  readonly userAgent: string;
  /** Standard Webhooks keys, in the order they are to be tried; none leaves deliveries unsigned. */
  readonly signingKeys: readonly Uint8Array[];
}

/** The headers of one attempt, names and values in turn, as undici takes them. */
export function requestHeaders(input: HeadersInput, { userAgent, signingKeys }: SenderHeaders): string[] {
  const { headers, data, idempotencyKey, traceparent, nowMs } = input;
  const list: string[] = [];
  // An app may put its own in place of these.
  if (!isGiven(headers, 'content-type')) list.push('content-type', 'application/json');
  if (!isGiven(headers, 'user-agent')) list.push('user-agent', userAgent);
  if (traceparent !== undefined && !isGiven(headers, 'traceparent')) list.push('traceparent', traceparent);
  for (const [name, value] of headers) list.push(name, value);
  list.push('idempotency-key', idempotencyKey);
  if (signingKeys.length === 0) return list;
  const signed = { id: idempotencyKey, timestampSeconds: Math.floor(nowMs / 1000), body: data };
  return list.concat(...signatureHeaders(signed, signingKeys));
}

function isGiven(headers: CustomHeaders, wanted: string): boolean {
  return headers.some(([name]) => name.toLowerCase() === wanted);
}
