import { createHmac } from 'node:crypto';

/** What is signed: one attempt. */
export interface Signed {
  /** The same for every attempt of a job. Holds no full stop, which is what separates the parts that are signed. */
  readonly id: string;
  /** When the attempt began, in seconds since 1970: receivers refuse old ones, so that nothing can be replayed. */
  readonly timestampSeconds: number;
  /** Exactly as it is sent. */
  readonly body: string;
}

/**
 * `webhook-id`, `webhook-timestamp` and `webhook-signature` as Standard Webhooks 1.0.0 has them: HMAC-SHA256 over id,
 * timestamp and body. With several keys there is one signature for each, so that receivers that know either the old
 * or the new one accept the delivery while a key is replaced. Empty without keys.
 */
export function signatureHeaders(
  { id, timestampSeconds, body }: Signed,
  keys: readonly Uint8Array[],
): readonly (readonly [name: string, value: string])[] {
  if (keys.length === 0) return [];
  const content = `${id}.${timestampSeconds}.${body}`;
  const signatures = keys.map((key) => `v1,${createHmac('sha256', key).update(content).digest('base64')}`);
  return [
    ['webhook-id', id],
    ['webhook-timestamp', String(timestampSeconds)],
    ['webhook-signature', signatures.join(' ')],
  ];
}
