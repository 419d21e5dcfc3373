/** What `isIdempotencyKey` demands, as the message of an error. */
export const idempotencyKeyForm = 'must be 1 to 255 characters of printable ASCII, without spaces around it';

/** Its form. */
export const idempotencyKey = /^[!-~](?:[ -~]{0,253}[!-~])?$/;

/**
 * Whether a client's text can be an idempotency key: nothing in it reads differently from one transport to another. (HTTP
 * drops the spaces around a header's value, which a frame keeps.)
 */
export function isIdempotencyKey(text: string): boolean {
  return idempotencyKey.test(text);
}
