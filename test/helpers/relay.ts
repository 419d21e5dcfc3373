import { request } from 'undici';
import { parseConfig } from '#relay/config/parse.js';
import { createLogger } from '#relay/log/logger.js';
import { mintMacaroon } from '#relay/macaroon/mint.js';
import { type Service, type ServiceParts, startService } from '#relay/service.js';
import { Confidential, keepMacaroon, keepSecret, keepSubmission } from './confidential.js';
import type { Cleanup } from './scripted_destination.js';

export const secret = 'a secret for tests only';
keepSecret(secret);

/** An answer of the relay, whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The parsed body; every answer of the relay is a JSON object. */
  readonly json: JobJson;
}

/** Every member a job or a problem may have. */
export interface JobJson {
  readonly id: string;
  readonly state: string;
  readonly ext_response: {
    readonly status?: string;
    readonly status_code?: number;
    readonly body?: string;
    readonly headers?: Record<string, string>;
    readonly encoding?: string;
    readonly truncated?: boolean;
    readonly error?: { readonly code: string; readonly message: string; readonly attempts: number };
  };
  readonly attempts: number;
  readonly created_at: string;
  readonly updated_at: string;
  readonly code?: string;
  readonly detail?: string;
  readonly caveat?: string;
  readonly rule?: string;
  readonly events?: readonly {
    readonly at: string;
    readonly state: string;
    readonly attempt?: number;
    readonly detail?: string;
  }[];
  readonly dry_run?: {
    readonly destination: string;
    readonly addresses: readonly string[];
    readonly caveats: readonly string[];
  };
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
  readonly [member: string]: unknown;
}

export interface RequestOptions {
  readonly headers?: Record<string, string | string[]>;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS' | 'HEAD' | 'PATCH';
  readonly signal?: AbortSignal;
  readonly macaroon?: string | undefined;
}

/** A whole relay on a free port, as `serve --dev` configures it, with everything it logged. */
export class RelayUnderTest {
  readonly service: Service;
  readonly #lines: string[];

  constructor(service: Service, lines: string[]) {
    this.service = service;
    this.#lines = lines;
  }

  get url(): string {
    return this.service.url;
  }

  /** Where the admin listener is. */
  get adminUrl(): string {
    if (this.service.adminUrl === undefined) throw new Error('the admin listener is off');
    return this.service.adminUrl;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  get log(): string {
    return this.#lines.join('');
  }

  /** What it logged, line by line, as it goes on. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Log lines of one kind, parsed. */
  logged(
    kind: 'request' | 'attempt' | 'job' | 'unreachable' | 'websocket' | 'bug',
  ): Record<string, unknown>[] {
    return this.#lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ msg }) => msg === kind);
  }

  async post(path: string, body: unknown, options: RequestOptions = {}): Promise<Answer> {
    const { macaroon = mint(), headers = {}, method = 'POST', signal } = options;
    keepSubmission(body);
    const response = await request(`${this.url}${path}`, {
      method,
      headers: { 'x-api-key': macaroon, ...headers },
      body:
        method === 'GET' || method === 'HEAD' ? null : typeof body === 'string' ? body : JSON.stringify(body),
      signal: signal ?? null,
    });
    const text = await response.body.text();
    return {
      status: response.statusCode,
      headers: response.headers,
      text,
      json: (text === '' ? {} : JSON.parse(text)) as JobJson,
    };
  }

  submit(uri: string, data: unknown = '{}', options?: RequestOptions): Promise<Answer> {
    return this.post('/export', { id: '', uri, data }, options);
  }

  /** Long-polls until the job is Finished. */
  async finished(id: string, options?: RequestOptions): Promise<JobJson> {
    const answer = await this.post('/lp/export?until=Finished&timeout=30', { id }, options);
    if (answer.json.state !== 'Finished') throw new Error(`not finished in time: ${answer.text}`);
    return answer.json;
  }
}

export function mint(...caveats: readonly string[]): string {
  return mintWith({ caveats });
}

export function mintWith({ caveats = [] as readonly string[], identifier = '', root = secret }): string {
  const minted = mintMacaroon({ secret: root, identifier, location: '', caveats });
  if (!minted.ok) throw new Error(minted.reason);
  keepMacaroon(minted.token);
  return minted.token;
}

export interface StartOptions extends Pick<ServiceParts, 'clock' | 'random' | 'lookup'> {
  /** Without `--dev`. */
  readonly production?: boolean;
}

/** Starts a relay that stops with the test. Flags come on top of `--dev` unless `production` is asked for. */
export async function startRelay(
  t: Cleanup,
  flags: readonly string[] = [],
  { production = false, ...parts }: StartOptions = {},
): Promise<RelayUnderTest> {
  const mode = production ? ['--host=127.0.0.1'] : ['--dev', '--attempts=1'];
  const argv = [...mode, '--port=0', `--secret=${secret}`, ...flags];
  const parsed = parseConfig({ argv, env: {} });
  if (!parsed.ok) throw new Error(parsed.mistakes.join('; '));
  const lines: string[] = [];
  const logger = createLogger(parsed.config.logLevel, { write: (line) => void lines.push(line) });
  const confidential = new Confidential(argv);
  const service = await startService(parsed.config, { logger, ...parts });
  t.teardown(() => stopAndLook(service, lines, confidential));
  return new RelayUnderTest(service, lines);
}

/** Stops a relay, and fails if anything that it wrote or showed should not have been there. */
export async function stopAndLook(
  service: Service,
  lines: readonly string[],
  confidential: Confidential,
): Promise<void> {
  await confidential.seeAdmin(service.adminUrl, ['/api/exports?limit=200']);
  confidential.see('/metrics', (await service.metrics()).body);
  await service.stop(0);
  confidential.see('the log', lines.join(''));
  await confidential.look();
}
