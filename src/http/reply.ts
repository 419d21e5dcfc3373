import type { IncomingMessage } from 'node:http';
import type { Failure } from '../failure.js';
import type { Job } from '../job/job.js';
import { preflightHeaders } from './cors.js';
import type { DryRun } from './exports.js';
import { problemOf } from './problem.js';
import type { Answer } from './send_answer.js';
import { entityTagOf, type JobViews, viewOfDryRun } from './view.js';

/** A text that is served as it is. */
export interface Page {
  readonly contentType: string;
  readonly body: string;
}

/** What an answer shows when nothing went wrong. */
export type Reply =
  | { readonly kind: 'job'; readonly job: Job; readonly events: boolean }
  | { readonly kind: 'dry_run'; readonly dryRun: DryRun }
  | { readonly kind: 'page'; readonly page: Page }
  | { readonly kind: 'preflight' };

/** An answer, and at what level the request is logged. */
interface LoggedAnswer extends Answer {
  readonly level: 'info' | 'warn' | 'error';
}

/** On every answer: it is for this client alone, and what it claims to be. */
const commonHeaders = ['Cache-Control', 'no-store', 'X-Content-Type-Options', 'nosniff'];
const jsonHeaders = ['Content-Type', 'application/json; charset=utf-8', ...commonHeaders];
const problemHeaders = ['Content-Type', 'application/problem+json; charset=utf-8', ...commonHeaders];

/** The answer to a request that got what it asked for. */
export function answerOf(request: IncomingMessage, reply: Reply, views: JobViews): LoggedAnswer {
  switch (reply.kind) {
    case 'job':
      return {
        status: 200,
        level: 'info',
        headers: [...jsonHeaders, 'ETag', entityTagOf(reply.job)],
        body: views.of(reply.job, reply),
      };
    case 'dry_run':
      return { status: 200, level: 'info', headers: jsonHeaders, body: viewOfDryRun(reply.dryRun) };
    case 'page':
      return {
        status: 200,
        level: 'info',
        headers: ['Content-Type', reply.page.contentType, ...commonHeaders],
        body: reply.page.body,
      };
    case 'preflight':
      return {
        status: 204,
        level: 'info',
        headers: Object.entries(preflightHeaders(request.headers)).flat(),
        body: '',
      };
  }
}

/** The answer to a request that failed. */
export function answerToFailure(
  request: IncomingMessage,
  failure: Failure,
  requestId: string,
  maxBodyBytes: number,
): LoggedAnswer {
  const { status, level, headers, document } = problemOf(failure, requestId);
  // The rest of a body that was not wanted has to be read before the next request: worth it only if it is small.
  const close = !request.complete && !(Number(request.headers['content-length']) <= maxBodyBytes);
  return {
    status,
    level,
    headers: [
      ...problemHeaders,
      ...Object.entries(close ? { ...headers, Connection: 'close' } : headers).flat(),
    ],
    body: JSON.stringify(document),
  };
}
