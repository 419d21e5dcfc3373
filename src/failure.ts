/**
 * Everything that can go wrong with a request, as values. A stage returns a `Failure` instead of throwing; the
 * HTTP layer has one exhaustive table from `code` to status, title and log level. Exceptions are left for bugs.
 */
export type Failure =
  | { readonly code: 'malformed_json'; readonly detail: string }
  | { readonly code: 'invalid_request'; readonly detail: string; readonly errors: readonly FieldError[] }
  | { readonly code: 'malformed_request' | 'request_timeout' | 'headers_too_large'; readonly detail: string }
  | { readonly code: 'missing_macaroon'; readonly detail: string }
  | { readonly code: 'invalid_macaroon'; readonly detail: string }
  | { readonly code: 'caveat_not_satisfied'; readonly detail: string; readonly caveat: string }
  | { readonly code: 'destination_refused'; readonly detail: string; readonly rule: string }
  | { readonly code: 'origin_not_allowed'; readonly detail: string }
  | { readonly code: 'unknown_job' | 'not_found'; readonly detail: string }
  | { readonly code: 'method_not_allowed'; readonly detail: string; readonly allow: readonly string[] }
  | { readonly code: 'upgrade_required'; readonly detail: string }
  | { readonly code: 'body_too_large' | 'unsupported_media_type'; readonly detail: string }
  | { readonly code: 'idempotency_conflict'; readonly detail: string }
  | {
      readonly code:
        | 'lane_full'
        | 'queue_full'
        | 'too_many_waiters'
        | 'no_secret'
        | 'shutting_down'
        | 'storage_unavailable';
      readonly detail: string;
      /** Whole seconds after which trying again makes sense; the `Retry-After` header. */
      readonly retryAfterSeconds: number;
    }
  | { readonly code: 'internal'; readonly detail: string };

/** One offending field of a request body: its name, and what was expected of it. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** A stage's answer: what it produced, or why it could not. */
export type Result<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly failure: Failure };

export function success<Value>(value: Value): Result<Value> {
  return { ok: true, value };
}

export function failed(failure: Failure): { readonly ok: false; readonly failure: Failure } {
  return { ok: false, failure };
}
