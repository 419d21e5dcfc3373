import type { Job, JobResult, NewJob } from './job.js';

/** What an unfinished job counts towards the memory limit, in bytes: everything whose size the client decides. */
export function unfinishedBytes({ dataBytes, headers = [], purpose, idempotencyKey }: NewJob): number {
  // Header names and values and keys are ASCII.
  const headerBytes = headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  return dataBytes + headerBytes + textBytes(purpose, idempotencyKey);
}

/** What a job counts once it is Finished with this result. */
export function finishedBytes({ purpose, idempotency }: Job, result: JobResult): number {
  return bodyBytes(result) + textBytes(purpose, idempotency?.key);
}

function bodyBytes(result: JobResult): number {
  return result.kind === 'answered' ? Buffer.byteLength(result.answer.body) : 0;
}

function textBytes(purpose = '', key = ''): number {
  return Buffer.byteLength(purpose) + key.length;
}

/** The result as it is kept where there is no room for its body. */
export function withoutBody(result: JobResult): JobResult {
  if (result.kind !== 'answered' || result.answer.body === '') return result;
  return { kind: 'answered', answer: { ...result.answer, body: '', encoding: 'utf-8', truncated: true } };
}
