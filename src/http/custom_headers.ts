import type { FieldError } from '../failure.js';
import type { CustomHeaders } from '../job/job.js';

/** Most headers of one job, and most bytes of their names and values together. */
export const maxHeaders = 32;
export const maxHeaderBytes = 8 * 1024;
/** Longest name that an error repeats. */
const maxShownLength = 64;

/** RFC 9110 section 5.6.2: what a header's name may be made of. */
export const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/**
 * Printable ASCII, with spaces inside only: a header can carry more, but not so that every receiver reads the same, and
 * a line feed would let an app write headers, or a whole request, of its own.
 */
export const headerValue = /^(?:[!-~](?:[ -~]*[!-~])?)?$/;

/**
 * What belongs to the connection (RFC 9110 section 7.6.1), frames the message, or is the relay's own to say: the key
 * that the destination tells repetitions by, the signature, and the header that macaroons travel in. A final `*` stands
 * for anything, and `-` for `_` as well: what hands headers on as variables (CGI, WSGI, Rack) tells no difference.
 */
export const reservedHeaders = [
  'host',
  'connection',
  'keep-alive',
  'proxy-*',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'content-length',
  'expect',
  'x-api-key',
  'idempotency-key',
  'webhook-*',
] as const;
/** The same as an expression, for names in lower case. */
export const reservedName = `^(?:${reservedHeaders.join('|').replaceAll('-', '[-_]').replaceAll('*', '.*')})$`;
const reserved = new RegExp(reservedName, 'i');

/** Reads `headers` of a new job. All that is wrong with them goes to `errors`, by the header's name. */
export function readCustomHeaders(value: unknown, errors: FieldError[]): CustomHeaders {
  if (value === undefined) return [];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    errors.push({ field: 'headers', message: 'must be an object of strings' });
    return [];
  }
  const entries: readonly (readonly [string, unknown])[] = Object.entries(value);
  if (entries.length > maxHeaders) {
    errors.push({ field: 'headers', message: `must not be more than ${maxHeaders}` });
    return [];
  }
  const headers = entries.flatMap(([name, text]) => readHeader(name, text, errors));
  errors.push(...repeated(headers).map((name) => problem(name, 'is there twice, in different spellings')));
  if (headers.reduce((sum, [name, text]) => sum + name.length + text.length, 0) > maxHeaderBytes) {
    errors.push({ field: 'headers', message: `must not take more than ${maxHeaderBytes} bytes together` });
  }
  return headers;
}

function readHeader(name: string, text: unknown, errors: FieldError[]): CustomHeaders {
  const message = mistakeIn(name, text);
  if (message !== undefined) errors.push(problem(name, message));
  return typeof text === 'string' ? [[name, text]] : [];
}

function mistakeIn(name: string, text: unknown): string | undefined {
  if (!headerName.test(name)) return 'is not the name of a header';
  if (reserved.test(name)) return 'is not for apps to set';
  if (typeof text !== 'string') return 'must be a string';
  return headerValue.test(text)
    ? undefined
    : 'must be printable ASCII on one line, without white space around it';
}

/** Names that stand for a header which an earlier name stands for already. */
function repeated(headers: CustomHeaders): readonly string[] {
  const seen = new Set<string>();
  return headers.flatMap(([name]) => {
    const before = seen.size;
    return seen.add(name.toLowerCase()).size > before ? [] : [name];
  });
}

function problem(name: string, message: string): FieldError {
  const shown = name.length > maxShownLength ? `${name.slice(0, maxShownLength)}…` : name;
  return { field: `headers.${shown}`, message };
}
