import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Caveat, Macaroon } from './token.js';

/** The key a text secret stands for, as libmacaroons derives it. */
export function deriveKey(secret: string): Buffer {
  return hmac(Buffer.from('macaroons-key-generator'), Buffer.from(secret));
}

/** The signature of a macaroon after one more caveat; all it takes is the signature before it, not the key. */
export function signCaveat(signature: Uint8Array, caveat: Caveat): Buffer {
  if (caveat.kind === 'first-party') return hmac(signature, caveat.cid);
  return hmac(signature, Buffer.concat([hmac(signature, caveat.vid), hmac(signature, caveat.cid)]));
}

/**
 * Whether the signature over identifier and caveats was made with this key (32 bytes where derived from a secret).
 * It says who issued the macaroon and that no caveat was taken away; not that any caveat is satisfied.
 */
export function signatureHolds(macaroon: Macaroon, key: Uint8Array): boolean {
  const start = hmac(key, Buffer.from(macaroon.identifier));
  const expected = macaroon.caveats.reduce(signCaveat, start);
  // Constant-time: how long a wrong signature takes must not tell how much of it was right.
  return macaroon.signature.length === expected.length && timingSafeEqual(macaroon.signature, expected);
}

function hmac(key: Uint8Array, message: Uint8Array): Buffer {
  return createHmac('sha256', key).update(message).digest();
}
