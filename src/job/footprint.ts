import type { CustomHeaders, Job, JobResult, NewJob } from './job.js';

/** What an unfinished job counts towards the memory limit, in bytes: everything whose size the client decides. */
export function unfinishedBytes(job: NewJob | Job): number {
  const { dataBytes, headers = [] } = job;
  return dataBytes + headerBytes(headers) + lastingBytes(job);
}

/** What a job counts once it is Finished with this result. */
export function finishedBytes(job: Job, result: JobResult): number {
  return resultBytes(result) + lastingBytes(job);
}

function resultBytes(result: JobResult): number {
  if (result.kind === 'gave_up') return 0;
  const { body, headers } = result.answer;
  return Buffer.byteLength(body) + headerBytes(Object.entries(headers));
}

/** Names and values of headers have one byte a character. */
function headerBytes(headers: CustomHeaders): number {
  return headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
}

/** What a job holds from its beginning until it is forgotten. A uri can be much longer than the data it is for. */
function lastingBytes(job: NewJob | Job): number {
  const { owner, destination, purpose = '' } = job;
  const { text, href } = destination;
  const key = ('id' in job ? job.idempotency?.key : job.idempotencyKey) ?? '';
  return utf8Bytes(owner) + utf8Bytes(text) + href.length + utf8Bytes(purpose) + key.length;
}

/** Owner and purpose are mostly empty, and to ask the system costs a tenth of a microsecond each. */
function utf8Bytes(text: string): number {
  return text === '' ? 0 : Buffer.byteLength(text);
}

/** The result as it is kept where there is no room for its body. */
export function withoutBody(result: JobResult): JobResult {
  if (result.kind !== 'answered' || result.answer.body === '') return result;
  return { kind: 'answered', answer: { ...result.answer, body: '', encoding: 'utf-8', truncated: true } };
}
