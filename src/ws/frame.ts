import { type Failure, type FieldError, type Result, success } from '../failure.js';
import { type ExportRequest, parseObject, readExportRequest } from '../http/export_request.js';
import type { DryRun } from '../http/exports.js';
import { idempotencyKeyForm, isIdempotencyKey } from '../http/idempotency_key.js';
import { invalidRequest, together } from '../http/invalid_request.js';
import { problemOf } from '../http/problem.js';
import { membersOf } from '../http/view.js';
import type { Job, JobId } from '../job/job.js';
import { parseTraceparent } from '../trace_context.js';

/** A client's frame: a request, with what a request over HTTP says in its headers and query. */
export interface Frame {
  /** Comes back in the answer. */
  readonly ref: string | undefined;
  readonly asked: Result<Asked>;
}

interface Asked {
  readonly request: ExportRequest;
  readonly idempotencyKey: string | undefined;
  /** Check a new job and queue nothing. */
  readonly dryRun: boolean;
}

/** Longest `ref`, in UTF-16 code units. */
export const maxRefLength = 255;

/** Reads the text of one frame. All offending fields are reported together. */
export function parseFrame(text: string): Frame {
  const body = parseObject(text);
  if (!body.ok) return { ref: undefined, asked: body };
  const { ref, idempotency_key: idempotencyKey, dry_run: dryRun } = body.value;
  const errors: FieldError[] = [];
  if (!isAbsentOr(ref, isRef)) {
    errors.push({
      field: 'ref',
      message: `must be a string of at most ${maxRefLength} characters, or absent`,
    });
  }
  if (!isAbsentOr(idempotencyKey, isKey)) {
    errors.push({ field: 'idempotency_key', message: `${idempotencyKeyForm}, or absent` });
  }
  if (!isAbsentOr(dryRun, isBoolean))
    errors.push({ field: 'dry_run', message: 'must be true, false or absent' });
  const fields: Result<null> = errors.length > 0 ? invalidRequest(errors) : success(null);
  const parsed = together(fields, readExportRequest(body.value, text));
  return {
    ref: isRef(ref) ? ref : undefined,
    asked: parsed.ok ? asked(traced(parsed.value[1], body.value), idempotencyKey, dryRun) : parsed,
  };
}

/** Over HTTP it is a header. What is no `traceparent` is ignored here as it is there. */
function traced(request: ExportRequest, { traceparent }: Record<string, unknown>): ExportRequest {
  if (request.action !== 'submit' || traceparent === undefined) return request;
  return { ...request, traceparent: parseTraceparent(traceparent) };
}

function asked(request: ExportRequest, idempotencyKey: unknown, dryRun: unknown): Result<Asked> {
  if (dryRun === true && request.action !== 'submit') {
    return invalidRequest([{ field: 'dry_run', message: 'is for new jobs, whose id is empty' }]);
  }
  return success({
    request,
    idempotencyKey: isKey(idempotencyKey) ? idempotencyKey : undefined,
    dryRun: dryRun === true,
  });
}

function isAbsentOr<Value>(
  value: unknown,
  isOne: (value: unknown) => value is Value,
): value is Value | undefined {
  return value === undefined || isOne(value);
}

function isRef(value: unknown): value is string {
  return typeof value === 'string' && value.length <= maxRefLength;
}

function isKey(value: unknown): value is string {
  return typeof value === 'string' && isIdempotencyKey(value);
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

/** What a dry run found, as a frame. */
export function dryRunFrame(dryRun: DryRun, ref?: string): string {
  return JSON.stringify({ id: '', dry_run: dryRun, ref });
}

/** A job as a frame: what its answer over HTTP holds, and the version that stands in the `ETag` there. */
export function jobFrame(job: Job, ref?: string): string {
  return JSON.stringify({ ...membersOf(job), version: job.version, ref });
}

/** A problem as a frame, with what stands in `Retry-After` over HTTP. `about` names the job that is concerned. */
export function problemFrame(
  failure: Failure,
  requestId: string,
  about: { readonly ref?: string | undefined; readonly id?: JobId },
): string {
  const retryAfter = 'retryAfterSeconds' in failure ? failure.retryAfterSeconds : undefined;
  return JSON.stringify({ ...problemOf(failure, requestId).document, retry_after: retryAfter, ...about });
}
