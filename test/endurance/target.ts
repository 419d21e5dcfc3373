import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import type { JobJson } from '../helpers/relay.js';
import { RelayProcess, type RelayProcessOptions } from '../helpers/relay_process.js';
import type { Cleanup } from '../helpers/scripted_destination.js';

/** An answer, or that there is none because the relay was killed meanwhile. */
export type Reply = { readonly status: number; readonly retryAfter: number; readonly json: JobJson } | 'cut';

export interface PostOptions {
  readonly macaroon: string;
  readonly key?: string;
  /** Whether it may be held: then it is not expected within a second. */
  readonly held?: boolean;
}

/** What requests have met that they should not. */
export interface Troubles {
  /** Refusals and failures, by status and code, that are not documented for what was asked. */
  readonly unexpected: Map<string, number>;
  /** Refusals for want of room, each with its `Retry-After`. */
  refused: number;
  /** Answered after more than a second, though not held, by what was asked and when; without those of a relay that catches up. */
  readonly hangs: Map<string, number>;
  slowestMs: number;
  /** Of a relay that catches up. */
  slowestAtStartMs: number;
  /** How long after its start a relay last took more than a second because it caught up. */
  caughtUpMs: number;
  requests: number;
}

const hangMs = 1000;
/** Of either kind; each app would have its own. */
const maxConnections = 1024;
/** A relay that has started meets all that waited for it with code that is not compiled yet: it catches up. */
const startMs = 10_000;

/** The relay under load: one after the other, since each is killed in its time and another takes its journal. */
export class Target {
  readonly troubles: Troubles = {
    unexpected: new Map(),
    refused: 0,
    hangs: new Map(),
    slowestMs: 0,
    slowestAtStartMs: 0,
    caughtUpMs: 0,
    requests: 0,
  };
  /** How often it was killed. */
  lives = 0;
  relay: RelayProcess;
  /** Resolves once a relay listens. */
  ready: Promise<unknown> = Promise.resolve();
  #down = false;
  #pool: Pool;
  /** For requests that may be held: those that are not must not wait for one of their connections. */
  #holding: Pool;
  readonly #t: Cleanup;
  readonly #options: RelayProcessOptions;

  private constructor(t: Cleanup, options: RelayProcessOptions, relay: RelayProcess) {
    this.#t = t;
    this.#options = options;
    this.relay = relay;
    this.#pool = poolOf(relay);
    this.#holding = poolOf(relay);
  }

  static async start(t: Cleanup, options: RelayProcessOptions): Promise<Target> {
    return new Target(t, options, await RelayProcess.start(t, options));
  }

  /** Whether requests may fail for want of a relay. */
  get down(): boolean {
    return this.#down;
  }

  /** `kill -9`, and another one that takes over. */
  async killAndRestart(): Promise<void> {
    this.#down = true;
    this.lives += 1;
    let up: () => void = () => undefined;
    this.ready = new Promise<void>((resolve) => (up = resolve));
    await this.relay.kill();
    await this.closeConnections();
    this.relay = await RelayProcess.start(this.#t, this.#options);
    this.#pool = poolOf(this.relay);
    this.#holding = poolOf(this.relay);
    this.#down = false;
    up();
  }

  async post(path: string, body: unknown, { macaroon, key, held = false }: PostOptions): Promise<Reply> {
    await this.ready;
    const life = this.lives;
    const begunAtMs = performance.now();
    this.troubles.requests += 1;
    try {
      const response = await (held ? this.#holding : this.#pool).request({
        path,
        method: 'POST',
        headers: { 'x-api-key': macaroon, ...(key !== undefined && { 'idempotency-key': key }) },
        body: JSON.stringify(body),
      });
      const json = JSON.parse(await response.body.text()) as JobJson;
      if (!held && life === this.lives) this.#took(performance.now() - begunAtMs, kindOf(body));
      return { status: response.statusCode, retryAfter: Number(response.headers['retry-after']), json };
    } catch (error) {
      if (life === this.lives) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
        this.unexpected(`no answer (${code})`);
        // Without this a relay that refuses connections would be asked without a pause.
        await delay(100);
      }
      return 'cut';
    }
  }

  unexpected(what: string): void {
    this.troubles.unexpected.set(what, (this.troubles.unexpected.get(what) ?? 0) + 1);
  }

  async closeConnections(): Promise<void> {
    await Promise.all([this.#pool.destroy(), this.#holding.destroy()]);
  }

  #took(ms: number, kind: string): void {
    const { hangs } = this.troubles;
    const sinceStartMs = performance.now() - this.relay.startedAtMs;
    if (sinceStartMs < startMs) {
      this.troubles.slowestAtStartMs = Math.max(this.troubles.slowestAtStartMs, ms);
      if (ms > hangMs) this.troubles.caughtUpMs = Math.max(this.troubles.caughtUpMs, sinceStartMs);
      return;
    }
    this.troubles.slowestMs = Math.max(this.troubles.slowestMs, ms);
    if (ms <= hangMs) return;
    // By the minute since the start: whether what is slow comes from starts has to be seen.
    const which = `${kind} in minute ${Math.floor(sinceStartMs / 60_000)}`;
    hangs.set(which, (hangs.get(which) ?? 0) + 1);
  }
}

/** What a request asks for: a submission waits for the disk, which a question does not. */
function kindOf(body: unknown): string {
  if (typeof body !== 'object' || body === null || !('id' in body) || body.id === '') return 'submission';
  return 'action' in body ? String(body.action) : 'question';
}

function poolOf(relay: RelayProcess): Pool {
  return new Pool(relay.url, { connections: maxConnections, headersTimeout: 90_000, bodyTimeout: 90_000 });
}
