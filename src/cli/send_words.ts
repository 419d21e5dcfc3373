import {
  ExportAbortedError,
  type ExportError,
  ExportFailedError,
  ExportTimeoutError,
  type Job,
  RelayProblemError,
} from '../client/index.js';
import { InputError } from './send_input.js';

/** How one export ended. */
export type Sent =
  | { readonly kind: 'accepted' | 'finished'; readonly job: Job }
  | { readonly kind: 'failed'; readonly error: ExportError | InputError };

/** Whether the destination has answered 2xx, or, where nobody waits, the relay has accepted the job. */
export function isGood(sent: Sent): boolean {
  if (sent.kind === 'failed') return false;
  return sent.kind === 'accepted' || (sent.job.state === 'Finished' && sent.job.answer?.ok === true);
}

/** How it ended, in half a line. */
export function wordsOf(sent: Sent): string {
  if (sent.kind === 'failed') return wordsOfError(sent.error);
  const { job } = sent;
  if (job.state !== 'Finished') return `accepted as job ${job.id}`;
  if (job.error !== undefined) return wordsOfError(new ExportFailedError(job));
  const cut = job.answer.truncated ? ', but the body is not whole' : '';
  return `${job.answer.statusLine}${cut} (job ${job.id})`;
}

/** What a program is told: the job, else the problem, as the relay wrote it, else what went wrong here. */
export function jsonOf(sent: Sent): string {
  if (sent.kind !== 'failed') return JSON.stringify(sent.job.raw);
  const { error } = sent;
  if (error instanceof RelayProblemError && error.problem.document !== undefined) {
    return JSON.stringify(error.problem.document);
  }
  const job = error instanceof InputError ? undefined : error.job;
  return JSON.stringify({
    ...job?.raw,
    error: { code: codes.get(error.name) ?? 'input', message: error.message },
  });
}

const codes: ReadonlyMap<string, string> = new Map([
  ['RelayProblemError', 'relay_problem'],
  ['RelayConnectionError', 'relay_unreachable'],
  ['ExportTimeoutError', 'timeout'],
  ['AbortError', 'interrupted'],
]);

function wordsOfError(error: ExportError | InputError): string {
  if (error instanceof InputError) return error.message;
  if (error instanceof RelayProblemError)
    return wordsOfProblem(error).replace(/\.$/, '') + lastSeen(error.job);
  if (error instanceof ExportFailedError) {
    const { message, attempts } = error.failure;
    const tries = attempts === 1 ? 'one attempt' : `${attempts} attempts`;
    return `the relay gave up after ${tries}: ${message} (${error.code}, job ${error.job.id})`;
  }
  if (error instanceof ExportTimeoutError) return `not done in time${lastSeen(error.job)}`;
  if (error instanceof ExportAbortedError) return `interrupted${lastSeen(error.job)}`;
  return error.message + lastSeen(error.job);
}

function lastSeen(job: Job | undefined): string {
  return job === undefined ? '; nothing was accepted' : `; job ${job.id} was ${job.state} when last seen`;
}

function wordsOfProblem({ code, detail, status, rule, errors, requestId }: RelayProblemError): string {
  switch (code) {
    case 'caveat_not_satisfied':
      return `the macaroon does not permit this: ${detail}`;
    case 'invalid_macaroon':
      return `the relay does not know this macaroon: ${detail}`;
    case 'destination_refused':
      return `the relay sends nothing there${rule === undefined ? '' : ` (${rule})`}: ${detail}`;
    case 'invalid_request':
      return errors === undefined || errors.length === 0
        ? detail
        : `the relay refuses ${errors.map(({ field, message }) => `${field}: ${message}`).join('; ')}`;
    case 'unknown_job':
      return 'the relay has forgotten the job; it may have been delivered';
    default:
      return `the relay answered ${status} ${code}: ${detail}${requestId === undefined ? '' : ` (request ${requestId})`}`;
  }
}
