import {
  ExportClient,
  type ExportClientOptions,
  type FetchInit,
  type FetchLike,
} from '#relay/client/index.js';
import { FakeClock, settled } from './fake_clock.js';
import { mint } from './relay.js';

/** A client of a relay, with a macaroon that allows everything. */
export function clientOf(
  relay: { readonly url: string },
  options: Partial<ExportClientOptions> = {},
): ExportClient {
  return new ExportClient({ url: relay.url, macaroon: mint(), WebSocket: false, ...options });
}

/** What a scripted `fetch` answers: an answer, or a connection that fails. */
export type ScriptedAnswer =
  | { readonly status: number; readonly body: unknown; readonly headers?: Readonly<Record<string, string>> }
  | 'refused'
  | 'silence';

/** One call of `fetch` as it was made. */
export interface Fetched {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
  readonly atMs: number;
}

/** A `fetch` that gives these answers in order, and the last one for ever, with a client on a clock of its own. */
export class ScriptedFetch {
  readonly clock = new FakeClock();
  readonly calls: Fetched[] = [];
  readonly client: ExportClient;
  readonly #answers: readonly ScriptedAnswer[];

  constructor(answers: readonly ScriptedAnswer[], options: Partial<ExportClientOptions> = {}) {
    this.#answers = answers;
    this.client = new ExportClient({
      url: 'http://relay.test',
      macaroon: mint(),
      WebSocket: false,
      fetch: this.fetch,
      clock: this.clock,
      random: () => 0,
      ...options,
    });
  }

  readonly fetch: FetchLike = (url, init) => {
    const answer = this.#answers[Math.min(this.calls.length, this.#answers.length - 1)];
    this.calls.push({ url, headers: init.headers, body: membersOf(init), atMs: this.clock.monotonicMs() });
    if (answer === undefined || answer === 'refused') {
      return Promise.reject(new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') }));
    }
    if (answer === 'silence') return new Promise(() => undefined);
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
    return Promise.resolve(new Response(text, { status: answer.status, headers: answer.headers ?? {} }));
  };

  /** Lets time pass, timer by timer, until the promise has settled. */
  async run<Value>(promise: Promise<Value>): Promise<PromiseSettledResult<Value>> {
    let result: PromiseSettledResult<Value> | undefined;
    void Promise.allSettled([promise]).then(([first]) => (result = first));
    for (let rounds = 0; rounds < 5000; rounds += 1) {
      for (let turns = 0; turns < 3 && result === undefined; turns += 1) await settled();
      if (result !== undefined) return result;
      if (!(await this.clock.next())) throw new Error('it waits for nothing');
    }
    throw new Error('it goes on for ever');
  }
}

function membersOf({ body }: FetchInit): Readonly<Record<string, unknown>> {
  return JSON.parse(body) as Record<string, unknown>;
}

const id = '5c0e1a52-7d35-4c5a-9d0f-2a4c7b8d9e10';

/** A job as a relay answers with it. */
export function jobAnswer(
  state: 'Pending' | 'Processing' | 'Finished',
  version: number | undefined,
  response: Readonly<Record<string, unknown>> = {
    status: '200 OK',
    status_code: 200,
    body: 'ok',
    headers: {},
  },
): ScriptedAnswer {
  return {
    status: 200,
    headers: version === undefined ? {} : { etag: `"${version}"` },
    body: {
      id,
      state,
      ext_response: state === 'Finished' ? response : {},
      created_at: '2030-01-01T00:00:00.000Z',
      updated_at: '2030-01-01T00:00:00.000Z',
      attempts: state === 'Pending' ? 0 : 1,
    },
  };
}

/** A problem as a relay answers with it. */
export function problemAnswer(
  status: number,
  code: string,
  headers: Readonly<Record<string, string>> = {},
): ScriptedAnswer {
  const body = {
    type: `/problems/${code}`,
    title: code,
    status,
    detail: `detail of ${code}`,
    code,
    request_id: 'r',
  };
  return { status, headers, body };
}
