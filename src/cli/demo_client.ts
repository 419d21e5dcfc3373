import { request } from 'undici';

/** As much of a job as the demo shows. */
export interface JobView {
  readonly id: string;
  readonly state: string;
  readonly ext_response: { readonly status?: string; readonly body?: string };
  /** Its version, as the `ETag` header gives it. */
  readonly tag: string;
}

/** Between two polls. */
const pollIntervalMs = 50;

/** What an app does: it submits, and asks until its job is finished. */
export class DemoClient {
  readonly #url: string;
  readonly #macaroon: string;
  readonly #destination: string;

  constructor(url: string, macaroon: string, destination: string) {
    this.#url = url;
    this.#macaroon = macaroon;
    this.#destination = destination;
  }

  submit(path: '/export' | '/lp/export', data: string): Promise<JobView> {
    return this.#post(path, { id: '', uri: this.#destination, data });
  }

  async poll({ id }: JobView): Promise<JobView> {
    await new Promise((resolve) => setTimeout(resolve, pollIntervalMs));
    return this.#post('/export', { id });
  }

  longPoll({ id, tag }: JobView): Promise<JobView> {
    return this.#post('/lp/export?timeout=10', { id }, { 'if-none-match': tag });
  }

  async #post(path: string, body: object, headers: Record<string, string> = {}): Promise<JobView> {
    const response = await request(`${this.#url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': this.#macaroon, ...headers },
      body: JSON.stringify(body),
    });
    const text = await response.body.text();
    if (response.statusCode !== 200) throw new Error(`the relay answered ${response.statusCode}: ${text}`);
    // The demo talks to the relay it has started itself.
    const job = JSON.parse(text) as Omit<JobView, 'tag'>;
    return { ...job, tag: String(response.headers['etag']) };
  }
}
