/**
 * What the library needs of what it runs on, described by shape, so that the `fetch` and `WebSocket` of browsers, Node,
 * undici and ws all fit.
 */

/** As much of an `AbortSignal` as is looked at. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** How `fetch` is called. */
export interface FetchInit {
  readonly method: 'POST';
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly signal: AbortSignal;
  readonly redirect: 'manual';
  readonly cache: 'no-store';
  readonly credentials: 'omit';
}

/** As much of a `Response` as is read. */
export interface FetchedResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}

/** A `fetch`. (A method's parameters are compared both ways, so that every implementation's own types fit.) */
export type FetchLike = { fetch(url: string, init: FetchInit): Promise<FetchedResponse> }['fetch'];

/** What happens to a WebSocket; `data` where it is a message. */
export interface SocketEvent {
  readonly type: string;
  readonly data?: unknown;
}

/** As much of a `WebSocket` as is used. */
export interface SocketLike {
  send(text: string): void;
  close(): void;
  addEventListener(
    type: 'open' | 'message' | 'close' | 'error',
    listener: (event: SocketEvent) => void,
  ): void;
}

/** The class of such sockets. */
export type SocketConstructor = new (url: string, protocols: string[]) => SocketLike;

/** Time, so that a test can stand still. */
export interface ClientClock {
  /** In ms, never running backwards. */
  monotonicMs(): number;
  /** Calls back once after so many ms, unless the returned function is called before. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The longest delay that `setTimeout` takes; anything longer would fire at once. */
const maxTimerMs = 2 ** 31 - 1;

export const systemClock: ClientClock = {
  monotonicMs: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, Math.min(delayMs, maxTimerMs));
    return () => clearTimeout(timer);
  },
};

/** The platform's own `fetch`, bound: called as a method of something else, a browser's refuses to work. */
export function platformFetch(): FetchLike {
  return globalThis.fetch.bind(globalThis);
}

/** The platform's own WebSocket, where it has one: browsers do, and Node from 22 on. */
export function platformSocket(): SocketConstructor | undefined {
  const candidate: unknown = Reflect.get(globalThis, 'WebSocket');
  return isSocketConstructor(candidate) ? candidate : undefined;
}

function isSocketConstructor(candidate: unknown): candidate is SocketConstructor {
  return typeof candidate === 'function';
}

/** Something unpredictable, in hex. (`crypto.randomUUID` is missing in pages that came over plain HTTP.) */
export function randomKey(): string {
  return hex(crypto.getRandomValues(new Uint8Array(16)));
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
