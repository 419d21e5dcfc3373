import type { RelayRequest } from './transport.js';

/** What may be said about data beside where it goes. */
export interface SubmitOptions {
  /** Why the data leaves, for its owner: one line of at most 200 characters. */
  readonly purpose?: string | undefined;
  /** For the destination; not those that are the relay's or the connection's own. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Names the export: with the same key, the same data to the same destination is one job, however often it is
   * submitted, as long as the relay keeps that job. Default: random, and the same for all attempts of one call.
   */
  readonly idempotencyKey?: string | undefined;
}

/** The request that submits data. Throws a `TypeError` for what cannot be sent. */
export function submission(destination: string, data: string | object, options: SubmitOptions): RelayRequest {
  const { purpose, headers, idempotencyKey } = options;
  return {
    path: '/export',
    headers: idempotencyKey === undefined ? {} : { 'Idempotency-Key': checkedKey(idempotencyKey) },
    body: { id: '', uri: destination, data: textOf(data), purpose, headers },
  };
}

/** Text goes as it is, to the last digit; anything else as JSON. */
function textOf(data: string | object): string {
  const text: unknown = typeof data === 'string' ? data : JSON.stringify(data);
  if (typeof text !== 'string')
    throw new TypeError('data: expects a JSON object or array, or a text that holds one');
  return text;
}

/** A key that no header can carry would look like a relay that cannot be reached. */
function checkedKey(key: string): string {
  if (/^[!-~](?:[ -~]{0,253}[!-~])?$/.test(key)) return key;
  throw new TypeError(
    'idempotencyKey: expects 1 to 255 characters of printable ASCII, without spaces around it',
  );
}
