/** What `isIdempotencyKey` demands, as the message of an error. */
export const idempotencyKeyForm = 'must be 1 to 255 characters of printable ASCII';

/** Whether a client's text can be an idempotency key: nothing in it reads differently from one transport to another. */
export function isIdempotencyKey(text: string): boolean {
  return /^[ -~]{1,255}$/.test(text);
}
