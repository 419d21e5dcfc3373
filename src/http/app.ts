import { randomUUID } from 'node:crypto';
import Router from '@koa/router';
import Koa from 'koa';
import type { Clock } from '../clock.js';
import { type Failure, type Result, failed } from '../failure.js';
import type { Job } from '../job/job.js';
import type { MacaroonVerifier } from '../macaroon/verify.js';
import { authenticate } from './authenticate.js';
import { readBody } from './body.js';
import { departureOf } from './departure.js';
import { parseExportRequest } from './export_request.js';
import { Exports, type ExportsOptions, type Waiting } from './exports.js';
import { parsePollOptions } from './poll_options.js';
import { problemOf } from './problem.js';
import { entityTagOf, viewOf } from './view.js';

/** One request that has been answered, for the log. Nothing in it was written by the client but the path's route. */
export interface RequestReport {
  readonly requestId: string;
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
  readonly level: 'info' | 'warn' | 'error';
  /** The code of the problem, if the answer is one. */
  readonly code: Failure['code'] | undefined;
  readonly job: Job | undefined;
}

export interface AppOptions extends ExportsOptions {
  /** Undefined until the relay knows its secret. */
  readonly verifier: () => MacaroonVerifier | undefined;
  /** What a `target` caveat must name. */
  readonly name: string;
  readonly maxBodyBytes: number;
  readonly maxWaitMs: number;
  readonly clock: Clock;
  readonly onRequest: (report: RequestReport) => void;
  /** Told of an exception: a bug, which the client sees as `internal` and nothing more. */
  readonly onBug: (error: unknown) => void;
}

type Context = Koa.Context;
type Route = '/export' | '/lp/export';

const internal = failed({ code: 'internal', detail: 'The relay failed; its log says how.' });

/** The relay's HTTP interface (contract: section 2) as a Koa application. */
export function createApp(options: AppOptions): Koa {
  const exports = new Exports(options);
  const router = new Router({ strict: true, sensitive: true });
  for (const route of ['/export', '/lp/export'] as const) {
    router.post(route, (ctx) =>
      answer(ctx, options, route, () => handleExport(ctx, options, exports, route)),
    );
    router.all(route, (ctx) =>
      answer(ctx, options, route, () =>
        failed({ code: 'method_not_allowed', allow: ['POST'], detail: `Use POST for ${route}.` }),
      ),
    );
  }
  const app = new Koa();
  // Koa would print sockets that break, which are no news, and swallow the rest; exceptions reach onBug here or below.
  app.silent = true;
  app.use(async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      options.onBug(error);
      await answer(ctx, options, 'other', () => internal);
    }
  });
  app.use(router.routes());
  app.use((ctx) =>
    answer(ctx, options, 'other', () =>
      failed({ code: 'not_found', detail: 'Exports go to POST /export or POST /lp/export.' }),
    ),
  );
  return app;
}

/** The way of a request: each stage gives a result, and the first failure is the answer. */
async function handleExport(
  ctx: Context,
  options: AppOptions,
  exports: Exports,
  route: Route,
): Promise<Result<Job>> {
  const { name, clock, maxBodyBytes } = options;
  const facts = { target: name, path: route, method: ctx.method, nowMs: clock.nowMs() };
  const macaroon = authenticate(ctx.req.headers, options.verifier(), facts);
  if (!macaroon.ok) return macaroon;
  const body = await readBody(ctx.req, ctx.res, maxBodyBytes);
  if (!body.ok) return body;
  const request = parseExportRequest(body.value);
  if (!request.ok) return request;
  if (request.value.action === 'submit') return exports.submit(request.value, macaroon.value);
  if (route === '/export') return exports.ask(request.value, macaroon.value);
  const waiting = waitingOf(ctx, options);
  return waiting.ok ? exports.ask(request.value, macaroon.value, waiting.value) : waiting;
}

function waitingOf(ctx: Context, { maxWaitMs }: AppOptions): Result<Waiting> {
  const { prefer, 'if-none-match': ifNoneMatch } = ctx.req.headers;
  const preference = typeof prefer === 'string' ? prefer : prefer?.join(', ');
  const query = new URLSearchParams(ctx.querystring);
  const poll = parsePollOptions(query, { prefer: preference, ifNoneMatch }, maxWaitMs);
  if (!poll.ok) return poll;
  return { ok: true, value: { ...poll.value, signal: departureOf(ctx.req, ctx.res) } };
}

/** Runs a handler and writes what it gives: a job, or a problem document. Reports the request once. */
async function answer(
  ctx: Context,
  options: AppOptions,
  route: string,
  handler: () => Result<Job> | Promise<Result<Job>>,
): Promise<void> {
  const { clock, onRequest, onBug } = options;
  const startedAtMs = clock.monotonicMs();
  const requestId = randomUUID();
  let result: Result<Job>;
  try {
    result = await handler();
  } catch (error) {
    onBug(error);
    result = internal;
  }
  const level = result.ok
    ? writeJob(ctx, result.value)
    : writeProblem(ctx, result.failure, requestId, options);
  onRequest({
    requestId,
    method: ctx.method,
    route,
    status: ctx.status,
    durationMs: clock.monotonicMs() - startedAtMs,
    level,
    code: result.ok ? undefined : result.failure.code,
    job: result.ok ? result.value : undefined,
  });
}

function writeJob(ctx: Context, job: Job): 'info' {
  ctx.status = 200;
  ctx.set({
    'Content-Type': 'application/json; charset=utf-8',
    'ETag': entityTagOf(job),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  ctx.body = viewOf(job);
  return 'info';
}

function writeProblem(
  ctx: Context,
  failure: Failure,
  requestId: string,
  { maxBodyBytes }: AppOptions,
): RequestReport['level'] {
  const problem = problemOf(failure, requestId);
  ctx.status = problem.status;
  ctx.set({
    ...problem.headers,
    'Content-Type': 'application/problem+json; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  // The rest of a body that was not wanted has to be read before the next request: worth it only if it is small.
  if (!ctx.req.complete && !(Number(ctx.req.headers['content-length']) <= maxBodyBytes))
    ctx.set('Connection', 'close');
  ctx.body = JSON.stringify(problem.document);
  return problem.level;
}
