import { type Destination, parseDestination } from '../egress/destination.js';
import { type FieldError, type Result, failed, success } from '../failure.js';
import type { CustomHeaders } from '../job/job.js';
import type { Traceparent } from '../trace_context.js';
import { readCustomHeaders } from './custom_headers.js';
import { invalidRequest } from './invalid_request.js';
import { memberText } from './json_members.js';

/** What a client asks for: a new job, or something about one it knows. */
export type ExportRequest =
  | {
      readonly action: 'submit';
      readonly destination: Destination;
      /** What is delivered, byte for byte as it was sent. */
      readonly data: string;
      readonly dataBytes: number;
      readonly headers: CustomHeaders;
      /** Why the data leaves, in the app's words. */
      readonly purpose?: string | undefined;
      /** The trace that the export belongs to; it does not come in the body. */
      readonly traceparent?: Traceparent | undefined;
    }
  | { readonly action: 'poll' | 'cancel'; readonly id: string };

/**
 * Reads the body of a request to either endpoint. All offending fields are reported together; fields that are not
 * known are ignored, and so are `uri` and `data` beside an id, since the platform's clients always send them.
 */
export function parseExportRequest(text: string): Result<ExportRequest> {
  const body = parseObject(text);
  return body.ok ? readExportRequest(body.value, text) : body;
}

/** A request as its members, before any of them is looked at. */
export function parseObject(text: string): Result<Record<string, unknown>> {
  const body = parseJson(text);
  if (body === undefined) return failed({ code: 'malformed_json', detail: 'The body is not valid JSON.' });
  if (isObject(body)) return success(body);
  return invalidRequest([{ field: '', message: 'the body must be a JSON object with id, uri and data' }]);
}

/** What the members ask for. `text` is what they were parsed from, since `data` is delivered as it was written. */
export function readExportRequest(body: Record<string, unknown>, text: string): Result<ExportRequest> {
  const { id, action } = body;
  if (typeof id !== 'string') {
    return invalidRequest([
      { field: 'id', message: 'must be a string: "" for a new job, or the id of a known one' },
    ]);
  }
  return id === '' ? parseSubmission(body, text) : parseQuestion(id, action);
}

function parseQuestion(id: string, action: unknown): Result<ExportRequest> {
  if (action === undefined) return success({ action: 'poll', id });
  if (action === 'cancel') return success({ action: 'cancel', id });
  return invalidRequest([{ field: 'action', message: 'must be "cancel", or absent' }]);
}

function parseSubmission(body: Record<string, unknown>, text: string): Result<ExportRequest> {
  const errors: FieldError[] = [];
  if (body['action'] !== undefined) {
    errors.push({ field: 'action', message: 'needs the id of a known job' });
  }
  const destination = readUri(body['uri'], errors);
  const data = readData(body['data'], text, errors);
  const headers = readCustomHeaders(body['headers'], errors);
  const purpose = readPurpose(body['purpose'], errors);
  if (destination === undefined || data === undefined || errors.length > 0) return invalidRequest(errors);
  const dataBytes = Buffer.byteLength(data);
  return success({ action: 'submit', destination, data, dataBytes, headers, ...purpose });
}

function readUri(uri: unknown, errors: FieldError[]): Destination | undefined {
  if (typeof uri !== 'string') {
    errors.push({ field: 'uri', message: 'must be a string: the https: URL that the data goes to' });
    return undefined;
  }
  const parsed = parseDestination(uri);
  if (parsed.ok) return parsed.destination;
  errors.push({ field: 'uri', message: parsed.reason });
  return undefined;
}

/** The text to deliver: the string's content, or the bare object or array as it stands in the request. */
function readData(data: unknown, text: string, errors: FieldError[]): string | undefined {
  const sent = typeof data === 'object' && data !== null ? memberText(text, 'data') : data;
  const message = 'must be a JSON object or array, or a string that holds one';
  if (typeof sent !== 'string') {
    errors.push({ field: 'data', message });
    return undefined;
  }
  if (!sent.isWellFormed()) {
    errors.push({ field: 'data', message: 'contains half of a surrogate pair, which cannot be sent' });
    return undefined;
  }
  if (typeof data === 'string' && !isJsonContainer(sent)) {
    errors.push({ field: 'data', message });
    return undefined;
  }
  return sent;
}

/** Longest purpose, in code points. */
export const maxPurposeLength = 200;
/**
 * What would break a line of a record, or make a person read another text than was written: control characters, line
 * and paragraph separators, halves of surrogate pairs, and overrides of the writing direction.
 */
export const unfitForRecords = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202a-\u202e\u2066-\u2069]/u;

/** Characters are code points here, which is close to what people count. */
const purposeLength = new RegExp(`^.{1,${maxPurposeLength}}$`, 'su');

/** An empty purpose is none. */
function readPurpose(purpose: unknown, errors: FieldError[]): { readonly purpose?: string } {
  if (purpose === undefined || purpose === '') return {};
  if (typeof purpose !== 'string' || !purposeLength.test(purpose)) {
    const message = `must be a text of at most ${maxPurposeLength} characters`;
    errors.push({ field: 'purpose', message });
    return {};
  }
  if (unfitForRecords.test(purpose)) {
    errors.push({ field: 'purpose', message: 'must be one line without control characters' });
    return {};
  }
  return { purpose };
}

function isJsonContainer(text: string): boolean {
  const value = parseJson(text);
  return typeof value === 'object' && value !== null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value, or `undefined` for text that is not JSON (which `undefined` never is). */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
