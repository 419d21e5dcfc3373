import { STATUS_CODES } from 'node:http';

/** The code and its standard reason; the bare code where there is none. */
export function statusLine(statusCode: number): string {
  const reason = STATUS_CODES[statusCode];
  return reason === undefined ? String(statusCode) : `${statusCode} ${reason}`;
}
