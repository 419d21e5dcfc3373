/**
 * Why something was not written:
 *
 * - `full`: no space is left, or no more may be used. Later writes succeed once there is.
 * - `read_only`: the file system takes no writes; some become so after an error.
 * - `failed`: anything else, such as an I/O error.
 * - `closed`: the journal was closed.
 */
export type WriteErrorReason = 'full' | 'read_only' | 'failed' | 'closed';

/** Nothing of what was to be written counts. The journal stays usable: the next write tries anew. */
export class JournalWriteError extends Error {
  readonly reason: WriteErrorReason;

  constructor(reason: WriteErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'JournalWriteError';
    this.reason = reason;
  }
}

const reasons: ReadonlyMap<string, WriteErrorReason> = new Map([
  ['ENOSPC', 'full'],
  ['EDQUOT', 'full'],
  ['EFBIG', 'full'],
  ['EROFS', 'read_only'],
]);

export function toWriteError(cause: unknown): JournalWriteError {
  const code = errorCode(cause);
  return new JournalWriteError(reasons.get(code) ?? 'failed', `the journal was not written (${code})`, {
    cause,
  });
}

export function closedError(): JournalWriteError {
  return new JournalWriteError('closed', 'the journal is closed');
}

/** The system's name of an error, such as `ENOSPC`. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
