import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { ambiguityOf } from '../http/ambiguous.js';
import { problemKinds } from '../http/problem.js';
import type { Api } from './api.js';
import { assetAt, assetPaths } from './assets.js';
import { type AdminAnswer, json, text, write } from './answer.js';
import { isFromAnotherSite, isTrustedHost } from './guard.js';

/** Whether the relay can take exports, and if not, why. */
export type Readiness =
  | { readonly ready: true }
  | { readonly ready: false; readonly reason: 'no_secret' | 'stopping' };

export interface AdminOptions {
  /** The host it was told to listen on, one of the names that requests may call it by. */
  readonly host: string;
  readonly readiness: () => Readiness;
  /** The record of exports. */
  readonly api: Api;
  /** The exposition of the metrics, where there are any. */
  readonly metrics?: (() => Promise<Exposition>) | undefined;
  /** Told of an exception, which is a bug; the client sees a 500. */
  readonly onBug: (error: unknown) => void;
}

/** Metrics as a scraper reads them. */
interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

/** Answers a request itself, for as long as that takes. */
type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** A route and whom it answers. */
interface Route {
  readonly handle: Handler;
  /**
   * `any`: nothing in it is worth reading, and health checks may know the relay by any name. `visitors`: a link from
   * another site may lead here. `own`: only the page itself and programs.
   */
  readonly admits: 'any' | 'visitors' | 'own';
}

/** Why no exports are taken, in words, or `undefined` if they are. */
export function whyNotReady(readiness: Readiness): string | undefined {
  return readiness.ready ? undefined : reasons[readiness.reason];
}

const reasons = {
  no_secret: 'the macaroon secret is not known yet: the arbiter has not answered',
  stopping: 'the relay is stopping',
} as const;

/** The admin listener's way of answering: no macaroon, no writing, nothing but GET and HEAD. */
export function createAdminHandler(options: AdminOptions): RequestListener {
  const routes = routesOf(options);
  return (request, response) => {
    const route = routes.get(pathOf(request));
    const refusal = refusalOf(request, route, options.host);
    if (refusal !== undefined || route === undefined) {
      write(response, refusal ?? text(404, 'Not found.'));
      return;
    }
    void attempt(() => route.handle(request, response), response, options.onBug);
  };
}

function routesOf({ readiness, metrics, api }: AdminOptions): ReadonlyMap<string, Route> {
  const answering =
    (
      answer: (request: IncomingMessage, response: ServerResponse) => AdminAnswer | Promise<AdminAnswer>,
    ): Handler =>
    async (request, response) =>
      write(response, await answer(request, response));
  const own = (handle: Handler): Route => ({ admits: 'own', handle });
  const routes = new Map<string, Route>([
    ['/healthz', { admits: 'any', handle: answering(() => json(200, { status: 'alive' })) }],
    ['/readyz', { admits: 'any', handle: answering(() => readyAnswer(readiness())) }],
    ['/api/summary', own(answering(() => api.summary()))],
    ['/api/timeline', own(answering((request) => api.timeline(request)))],
    ['/api/exports', own(answering((request, response) => api.exports(request, response)))],
    ['/api/live', own((request, response) => api.live(request, response))],
  ]);
  for (const path of assetPaths) {
    routes.set(path, { admits: path === '/' ? 'visitors' : 'own', handle: answering(() => assetAt(path)) });
  }
  if (metrics !== undefined) {
    routes.set('/metrics', own(answering(async () => ({ status: 200, ...(await metrics()) }))));
  }
  return routes;
}

function readyAnswer(readiness: Readiness): AdminAnswer {
  if (readiness.ready) return json(200, { status: 'ready' });
  return json(503, { status: 'not ready', reason: readiness.reason, detail: whyNotReady(readiness) });
}

/** Why a request is not answered, whatever it asks for. */
function refusalOf(
  request: IncomingMessage,
  route: Route | undefined,
  host: string,
): AdminAnswer | undefined {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return text(405, 'Use GET.', { Allow: 'GET, HEAD', Connection: 'close' });
  }
  const ambiguity = ambiguityOf(request);
  if (ambiguity !== undefined) {
    return text(problemKinds[ambiguity.code].status, ambiguity.detail, { Connection: 'close' });
  }
  const admits = route?.admits ?? 'own';
  if (admits === 'any') return undefined;
  if (!isTrustedHost(request.headers.host, host)) {
    return text(403, 'Open this by its address, as localhost, or by the host of --admin.');
  }
  return admits === 'own' && isFromAnotherSite(request.headers)
    ? text(403, 'Other sites may not ask this.')
    : undefined;
}

function pathOf({ url = '/' }: IncomingMessage): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

async function attempt(
  handle: () => void | Promise<void>,
  response: ServerResponse,
  onBug: (error: unknown) => void,
): Promise<void> {
  try {
    await handle();
  } catch (error) {
    onBug(error);
    if (response.headersSent) response.destroy();
    else write(response, text(500, 'The relay failed; its log says how.'));
  }
}
