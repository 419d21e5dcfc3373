import { Pool, type Dispatcher } from 'undici';
import { keepMacaroon, keepSubmission } from './confidential.js';
import { type JobJson, mint } from './relay.js';

export interface Reply {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly json: JobJson;
  readonly afterMs: number;
}

/** A client of a relay in another process, over kept-alive connections. */
export class ExportClient {
  readonly #pool: Pool;
  readonly #macaroon: string;

  constructor(url: string, { macaroon = mint(), connections = 8 } = {}) {
    this.#pool = new Pool(url, { connections, headersTimeout: 120_000, bodyTimeout: 120_000 });
    this.#macaroon = macaroon;
  }

  async post(path: string, body: unknown): Promise<Reply> {
    const begunAtMs = performance.now();
    keepMacaroon(this.#macaroon);
    keepSubmission(body);
    const response: Dispatcher.ResponseData = await this.#pool.request({
      path,
      method: 'POST',
      headers: { 'x-api-key': this.#macaroon },
      body: JSON.stringify(body),
    });
    const json = JSON.parse(await response.body.text()) as JobJson;
    const header = response.headers['retry-after'];
    return {
      status: response.statusCode,
      retryAfter: typeof header === 'string' ? header : undefined,
      json,
      afterMs: performance.now() - begunAtMs,
    };
  }

  submit(uri: string, data: string): Promise<Reply> {
    return this.post('/export', { id: '', uri, data });
  }

  poll(id: string): Promise<Reply> {
    return this.post('/export', { id });
  }

  /** Long-polls until the job is Finished or the time is over. */
  finished(id: string, seconds = 50): Promise<Reply> {
    return this.post(`/lp/export?until=Finished&timeout=${seconds}`, { id });
  }

  /** Whether the job ends, or has ended, with the destination's 200. */
  async delivered(id: string): Promise<boolean> {
    const { status, json } = await this.finished(id);
    return status === 200 && json.ext_response.status === '200 OK';
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }
}
