import {
  type ClientClock,
  type FetchLike,
  type SocketConstructor,
  platformFetch,
  platformSocket,
  systemClock,
} from './platform.js';
import type { RelayOptions, RetryReport } from './relay.js';

/** How a client is set up. Durations are in ms. */
export interface ExportClientOptions {
  /** Where the relay is, such as `https://export-service:8080`; a path before `/export` may be part of it. */
  readonly url: string;
  /** What the arbiter minted, perhaps narrowed with `attenuate`. */
  readonly macaroon: string;
  /** Default: the platform's. */
  readonly fetch?: FetchLike | undefined;
  /** Default: the platform's, where it has one; `false` for none. */
  readonly WebSocket?: SocketConstructor | false | undefined;
  /** For a call as a whole, unless it says otherwise; default 15 minutes. `Infinity` for no bound. */
  readonly timeoutMs?: number | undefined;
  /** How long the relay may be out of reach before a call gives up; default 30 seconds. */
  readonly maxOutageMs?: number | undefined;
  /** How long the relay may take for an answer that it need not hold; default 30 seconds. */
  readonly requestTimeoutMs?: number | undefined;
  /** Told when something went wrong and the library is about to try again. */
  readonly onRetry?: ((report: RetryReport) => void) | undefined;
  /** For tests: time, and chance (uniform in [0, 1)). */
  readonly clock?: ClientClock | undefined;
  readonly random?: (() => number) | undefined;
}

/** What the options amount to. */
export interface ClientSettings extends RelayOptions {
  readonly WebSocket: SocketConstructor | undefined;
  readonly timeoutMs: number;
}

/** A little more than a relay gives a job from its first attempt on, unless it is told otherwise. */
const defaultTimeoutMs = 15 * 60_000;
const defaultMaxOutageMs = 30_000;
const defaultRequestTimeoutMs = 30_000;

/** Reads the options; throws a `TypeError` that says which of them cannot be. */
export function settingsOf(options: ExportClientOptions): ClientSettings {
  const { WebSocket = platformSocket(), clock = systemClock, random = Math.random } = options;
  return {
    baseUrl: baseUrlOf(options.url),
    macaroon: macaroonOf(options.macaroon),
    fetch: options.fetch ?? platformFetch(),
    WebSocket: WebSocket === false ? undefined : WebSocket,
    clock,
    random,
    timeoutMs: durationOf('timeoutMs', options.timeoutMs ?? defaultTimeoutMs),
    maxOutageMs: durationOf('maxOutageMs', options.maxOutageMs ?? defaultMaxOutageMs),
    requestTimeoutMs: durationOf('requestTimeoutMs', options.requestTimeoutMs ?? defaultRequestTimeoutMs),
    onRetry: options.onRetry ?? (() => undefined),
  };
}

/** Not by `URL.canParse`, which in Node 20 and 22 comes to misread names with umlauts. */
function parsed(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function baseUrlOf(text: string): string {
  const url = parsed(text);
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new TypeError(`url: expects the relay's http: or https: address; got ${JSON.stringify(text)}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError('url: expects no user name in the address; the macaroon is an option of its own');
  }
  return url.href.replace(/\/+$/, '');
}

/** It may have been read from a file, line feed and all. It is not repeated in the error: it is a credential. */
function macaroonOf(text: string): string {
  const macaroon = text.trim();
  if (!/^[\w+/-]+={0,2}$/.test(macaroon))
    throw new TypeError('macaroon: expects a macaroon, which is base64');
  return macaroon;
}

function durationOf(name: string, ms: number): number {
  if (!(ms > 0)) throw new TypeError(`${name}: expects a duration in ms above 0; got ${ms}`);
  return ms;
}
