import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import Router from '@koa/router';
import Koa from 'koa';
import type { Clock } from '../clock.js';
import type { Destination } from '../egress/destination.js';
import { type Failure, type Result, failed, success } from '../failure.js';
import type { Job } from '../job/job.js';
import type { MacaroonVerifier } from '../macaroon/verify.js';
import { type Traceparent, parseTraceparent } from '../trace_context.js';
import { ambiguityOf } from './ambiguous.js';
import { authenticate } from './authenticate.js';
import { readBody } from './body.js';
import { corsHeaders, isPreflight } from './cors.js';
import { departureOf } from './departure.js';
import { type ExportRequest, parseExportRequest } from './export_request.js';
import type { DryRun, Exports, Waiting } from './exports.js';
import type { IncomingBodies } from './incoming.js';
import { invalidRequest, together } from './invalid_request.js';
import { parsePollOptions } from './poll_options.js';
import { type Page, type Reply, answerOf, answerToFailure } from './reply.js';
import { type RequestOptions, parseRequestOptions } from './request_options.js';
import { sendAnswer } from './send_answer.js';
import type { UnreadAnswers } from './unread.js';
import type { JobViews } from './view.js';

/** What a request turned out to be about, as far as it was read before it was answered. */
export interface RequestSubject {
  action?: 'submit' | 'dry_run' | 'poll' | 'cancel';
  /** The identifier of its macaroon. */
  owner?: string;
  /** Of a new job, as is the size of its data in UTF-8. */
  destination?: Destination;
  dataBytes?: number;
  /** The one it came with. */
  traceparent?: Traceparent | undefined;
}

/** One request that has been answered, for the log and the metrics. */
export interface RequestReport {
  readonly requestId: string;
  readonly method: string;
  readonly route: ReportedRoute;
  readonly status: number;
  readonly durationMs: number;
  readonly level: 'info' | 'warn' | 'error';
  /** What the answer is about, if it is a problem. */
  readonly failure: Failure | undefined;
  readonly job: Job | undefined;
  readonly subject: RequestSubject;
}

export interface AppOptions {
  readonly exports: Pick<Exports, 'submit' | 'ask' | 'dryRun'>;
  /** Undefined until the relay knows its secret. */
  readonly verifier: () => MacaroonVerifier | undefined;
  /** What a `target` caveat must name. */
  readonly name: string;
  readonly maxBodyBytes: number;
  /** Bounds what clients have begun to send. */
  readonly incoming: IncomingBodies;
  /** Bounds what clients have not read yet. */
  readonly unread: UnreadAnswers;
  readonly views: JobViews;
  readonly maxWaitMs: number;
  readonly clock: Clock;
  /** Origins whose pages may call the relay. */
  readonly corsOrigins: readonly string[];
  /** Texts that anybody may read, by their path. */
  readonly pages: ReadonlyMap<string, Page>;
  /** Why a GET of `/ws/export` has not become a WebSocket. */
  readonly upgradeRefusal: (request: IncomingMessage) => Failure;
  readonly onRequest: (report: RequestReport) => void;
  /** Told of an exception: a bug, which the client sees as `internal` and nothing more. */
  readonly onBug: (error: unknown) => void;
}

/** The path that becomes a WebSocket; what comes here as an ordinary request has failed to. */
export const socketRoute = '/ws/export';

type Context = Koa.Context;
type Route = '/export' | '/lp/export';
/** One of the relay's own, so that no client decides what stands in logs and metrics. */
type ReportedRoute = Route | typeof socketRoute | 'page' | 'preflight' | 'unparsed' | 'other';

const internal = failed({ code: 'internal', detail: 'The relay failed; its log says how.' });

/** The relay's HTTP interface as a Koa application. */
export function createApp(options: AppOptions): Koa {
  const router = new Router({ strict: true, sensitive: true });
  for (const route of ['/export', '/lp/export'] as const) {
    // One route for all methods: what the router does for each that fits the path takes a while.
    router.all(route, (ctx) =>
      answer(ctx, options, route, (subject) =>
        ctx.method === 'POST'
          ? handleExport(ctx, options, route, subject)
          : failed({ code: 'method_not_allowed', allow: ['POST'], detail: `Use POST for ${route}.` }),
      ),
    );
  }
  router.all(socketRoute, (ctx) => {
    // Whoever wanted another protocol may have begun to speak it: that must not be read as requests.
    ctx.set('Connection', 'close');
    return answer(ctx, options, socketRoute, () =>
      ctx.method === 'GET'
        ? failed(options.upgradeRefusal(ctx.req))
        : failed({ code: 'method_not_allowed', allow: ['GET'], detail: `Use GET for ${socketRoute}.` }),
    );
  });
  const app = new Koa();
  // Koa would print sockets that break, which are no news, and swallow the rest; exceptions reach onBug here or below.
  app.silent = true;
  app.use(async (ctx, next) => {
    try {
      await front(ctx, options, next);
    } catch (error) {
      options.onBug(error);
      await answer(ctx, options, 'other', () => internal);
    }
  });
  app.use(router.routes());
  app.use((ctx) => answerElsewhere(ctx, options));
  return app;
}

/** What concerns every request, whatever it asks for. */
function front(ctx: Context, options: AppOptions, next: Koa.Next): Promise<void> {
  const { corsOrigins } = options;
  const { headers } = ctx.req;
  if (corsOrigins.length > 0) {
    ctx.set(corsHeaders(headers, corsOrigins));
    if (isPreflight(ctx.method, headers, corsOrigins)) {
      return answer(ctx, options, 'preflight', () => success({ kind: 'preflight' }));
    }
  }
  const ambiguity = ambiguityOf(ctx.req);
  // What follows a CONNECT may be meant for the tunnel that there is not, rather than be the next request.
  if (ambiguity !== undefined || ctx.method === 'CONNECT') ctx.set('Connection', 'close');
  return ambiguity === undefined ? next() : answer(ctx, options, 'other', () => failed(ambiguity));
}

/** Pages, and paths where there is nothing. */
function answerElsewhere(ctx: Context, options: AppOptions): Promise<void> {
  const page = options.pages.get(ctx.path);
  return answer(ctx, options, page === undefined ? 'other' : 'page', () => {
    if (page === undefined) return nothingHere;
    if (ctx.method === 'GET' || ctx.method === 'HEAD') return success({ kind: 'page', page });
    return failed({ code: 'method_not_allowed', allow: ['GET', 'HEAD'], detail: `Use GET for ${ctx.path}.` });
  });
}

const nothingHere = failed({
  code: 'not_found',
  detail: 'Exports go to POST /export, POST /lp/export or a WebSocket at /ws/export; see /openapi.json.',
});

/** Of most requests; to parse nothing takes a while too. */
const noQuery = new URLSearchParams();

/** The way of a request: each stage gives a result, and the first failure is the answer. */
async function handleExport(
  ctx: Context,
  options: AppOptions,
  route: Route,
  subject: RequestSubject,
): Promise<Result<Reply>> {
  const { name, clock, exports } = options;
  const facts = { target: name, path: route, method: ctx.method, nowMs: clock.nowMs() };
  const macaroon = authenticate(ctx.req.headers, options.verifier(), facts);
  if (!macaroon.ok) return macaroon;
  subject.owner = macaroon.value.identifier;
  subject.traceparent = parseTraceparent(ctx.req.headers['traceparent']);
  const { querystring } = ctx;
  const query = querystring === '' ? noQuery : new URLSearchParams(querystring);
  const parsed = await readRequest(ctx, options, query);
  if (!parsed.ok) return parsed;
  const [{ dryRun, events, idempotencyKey }, request] = parsed.value;
  noteRequest(subject, request, dryRun);
  if (request.action === 'submit') {
    const { action, destination, data, dataBytes, headers, purpose } = request;
    const { traceparent } = subject;
    const submission = { action, destination, data, dataBytes, headers, purpose, traceparent };
    return dryRun
      ? dryRunReply(await exports.dryRun(submission, macaroon.value, idempotencyKey))
      : jobReply(await exports.submit(submission, macaroon.value, idempotencyKey), events);
  }
  if (dryRun) return invalidRequest([{ field: 'dry_run', message: 'is for new jobs, whose id is empty' }]);
  if (route === '/export') return jobReply(await exports.ask(request, macaroon.value), events);
  const waiting = waitingOf(ctx, query, options);
  if (!waiting.ok) return waiting;
  return jobReply(await exports.ask(request, macaroon.value, waiting.value), events);
}

/** Apart, so that a long poll does not hold the text of its body for as long as it waits. */
async function readRequest(
  ctx: Context,
  { maxBodyBytes, incoming }: AppOptions,
  query: URLSearchParams,
): Promise<Result<readonly [RequestOptions, ExportRequest]>> {
  const body = await readBody(ctx.req, ctx.res, { maxBytes: maxBodyBytes, incoming });
  if (!body.ok) return body;
  const asked = parseRequestOptions(query, idempotencyKeysOf(ctx));
  return together(asked, parseExportRequest(body.value));
}

/** Notes what a request asks for, once that is known. */
export function noteRequest(subject: RequestSubject, request: ExportRequest, dryRun: boolean): void {
  subject.action = dryRun ? 'dry_run' : request.action;
  if (request.action !== 'submit') return;
  subject.destination = request.destination;
  subject.dataBytes = request.dataBytes;
}

function jobReply(result: Result<Job>, events: boolean): Result<Reply> {
  return result.ok ? success({ kind: 'job', job: result.value, events }) : result;
}

function dryRunReply(result: Result<DryRun>): Result<Reply> {
  return result.ok ? success({ kind: 'dry_run', dryRun: result.value }) : result;
}

function idempotencyKeysOf({ req }: Context): readonly string[] | undefined {
  return req.headers['idempotency-key'] === undefined ? undefined : req.headersDistinct['idempotency-key'];
}

function waitingOf(ctx: Context, query: URLSearchParams, { maxWaitMs }: AppOptions): Result<Waiting> {
  const { prefer, 'if-none-match': ifNoneMatch } = ctx.req.headers;
  const preference = typeof prefer === 'string' ? prefer : prefer?.join(', ');
  const poll = parsePollOptions(query, { prefer: preference, ifNoneMatch }, maxWaitMs);
  if (!poll.ok) return poll;
  return { ok: true, value: { ...poll.value, signal: departureOf(ctx.req, ctx.res) } };
}

/** Runs a handler and writes what it gives: a reply, or a problem document. Reports the request once. */
async function answer(
  ctx: Context,
  options: AppOptions,
  route: ReportedRoute,
  handler: (subject: RequestSubject) => Result<Reply> | Promise<Result<Reply>>,
): Promise<void> {
  const { clock, onRequest, onBug } = options;
  const startedAtMs = clock.monotonicMs();
  const requestId = randomUUID();
  const subject: RequestSubject = {};
  let result: Result<Reply>;
  try {
    result = await handler(subject);
  } catch (error) {
    onBug(error);
    result = internal;
  }
  const room = options.unread.room();
  if (room !== undefined) await room;
  const reply = result.ok
    ? answerOf(ctx.req, result.value, options.views)
    : answerToFailure(ctx.req, result.failure, requestId, options.maxBodyBytes);
  onRequest({
    requestId,
    method: ctx.method,
    route,
    status: reply.status,
    durationMs: clock.monotonicMs() - startedAtMs,
    level: reply.level,
    failure: result.ok ? undefined : result.failure,
    job: result.ok && result.value.kind === 'job' ? result.value.job : undefined,
    subject,
  });
  sendAnswer(ctx, reply, options.unread);
}
