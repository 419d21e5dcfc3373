import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../clock.js';
import { departureOf } from '../http/departure.js';
import { type AdminAnswer, json, securityHeaders, write } from './answer.js';
import { findPage } from './find.js';
import { LiveUpdates } from './live.js';
import { parseQuery } from './query.js';
import { summarise, type SummarySources } from './summary.js';

export interface ApiOptions extends SummarySources {
  readonly clock: Clock;
}

/** Searches of the record at once; one of all of it takes a tenth of a second, a little at a time. */
const maxSearches = 8;

/** The record as JSON: pages of it, a summary, a time line, and the summary again with every change. */
export class Api {
  readonly #options: ApiOptions;
  readonly #live: LiveUpdates;
  readonly #stopWatching: () => void;
  #searches = 0;

  constructor(options: ApiOptions) {
    this.#options = options;
    const current = (): string => JSON.stringify(summarise(options));
    this.#live = new LiveUpdates({ clock: options.clock, current });
    this.#stopWatching = options.ledger.watch(this.#live.changed);
  }

  summary(): AdminAnswer {
    return json(200, summarise(this.#options));
  }

  timeline(request: IncomingMessage): AdminAnswer {
    const range = parametersOf(request).get('range') ?? '24h';
    if (range !== '1h' && range !== '24h') return badRequest('range: expects 1h or 24h');
    return json(200, this.#options.ledger.timeline(range));
  }

  async exports(request: IncomingMessage, response: ServerResponse): Promise<AdminAnswer> {
    const parsed = parseQuery(parametersOf(request));
    if (!parsed.ok) return badRequest(parsed.mistake);
    if (this.#searches >= maxSearches) return busy('Too many searches at once.');
    this.#searches += 1;
    try {
      return json(200, await findPage(this.#options.ledger, parsed.query, departureOf(request, response)));
    } finally {
      this.#searches -= 1;
    }
  }

  /** Answers with updates for as long as the client stays. */
  live(request: IncomingMessage, response: ServerResponse): void {
    if (this.#live.full) {
      write(response, busy('Too many pages are open.'));
      return;
    }
    response.writeHead(200, {
      ...securityHeaders,
      'Cache-Control': 'no-store',
      'Content-Type': 'text/event-stream; charset=utf-8',
    });
    if (request.method === 'HEAD') response.end();
    else this.#live.add(response);
  }

  /** Ends all updates. */
  close(): void {
    this.#stopWatching();
    this.#live.close();
  }
}

function parametersOf({ url = '/' }: IncomingMessage): URLSearchParams {
  const start = url.indexOf('?');
  return new URLSearchParams(start === -1 ? '' : url.slice(start));
}

function badRequest(detail: string): AdminAnswer {
  return json(400, { detail });
}

function busy(detail: string): AdminAnswer {
  return { ...json(503, { detail }), headers: { 'Retry-After': '2' } };
}
