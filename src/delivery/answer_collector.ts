import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { BoundedBytes, type KeptBytes } from './capture.js';
import { attemptError } from './classify.js';
import type { AttemptError } from './outcome.js';

/** What one request brought: the destination's answer, as far as it came, or why there is none. */
export type Collected =
  | {
      readonly kind: 'answered';
      readonly statusCode: number;
      readonly headers: IncomingHttpHeaders;
      readonly body: KeptBytes;
    }
  | { readonly kind: 'failed'; readonly error: AttemptError };

/** Statuses whose answers end with their head, whatever length that claims (RFC 9112 section 6.3). */
const bodiless: ReadonlySet<number> = new Set([204, 304]);

/**
 * Collects what undici hands over of one answer. (Its `request` makes a stream of every body, with an asynchronous
 * resource and an iterator around it: measured, a third of the processor time of an export.)
 *
 * Once the head is whole the destination has answered: whatever happens to the body, the status stands.
 */
export class AnswerCollector implements Dispatcher.DispatchHandler {
  /** Resolves once, and never rejects. */
  readonly collected: Promise<Collected>;
  readonly #body: BoundedBytes;
  #settle: (collected: Collected) => void = () => undefined;
  #head: { readonly statusCode: number; readonly headers: IncomingHttpHeaders } | undefined;

  constructor(maxBytes: number) {
    this.#body = new BoundedBytes(maxBytes);
    this.collected = new Promise((resolve) => (this.#settle = resolve));
  }

  onRequestStart(): void {
    // undici tells by this method what kind of handler it has.
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: IncomingHttpHeaders,
  ): void {
    // An interim response is not the answer.
    if (statusCode < 200) return;
    this.#head = { statusCode, headers };
    if (bodiless.has(statusCode)) this.#end(false);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#body.add(chunk)) this.#end(true);
  }

  onResponseEnd(): void {
    this.#end(false);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.giveUp(error);
  }

  /** Ends it here: with the answer as far as it came, or without one for this reason. */
  giveUp(reason: unknown): void {
    if (this.#head === undefined) this.#settle({ kind: 'failed', error: attemptError(reason) });
    else this.#end(true);
  }

  #end(truncated: boolean): void {
    if (this.#head === undefined) return;
    this.#settle({ kind: 'answered', ...this.#head, body: { bytes: this.#body.bytes, truncated } });
  }
}
