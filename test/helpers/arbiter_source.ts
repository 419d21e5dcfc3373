import { type Clock, systemClock } from '#relay/clock.js';
import { startSecretSource, type SecretSource, type Waiting } from '#relay/arbiter/secret_source.js';
import type { FetchOutcome, SecretFetch } from '#relay/arbiter/outcome.js';

/** A real clock on which everything is twenty times as fast. */
export const hastyClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => systemClock.monotonicMs() * 20,
  after: (delayMs, action) => systemClock.after(delayMs / 20, action),
};

/** A secret source at work on a real client, and what it said and did. */
export class WatchedSource {
  readonly secrets: string[] = [];
  readonly waiting: Waiting[] = [];
  readonly outcomes: FetchOutcome[] = [];
  /** Resolves with the secret. */
  readonly secret: Promise<string>;
  readonly #source: SecretSource;
  #onOutcome = (): void => undefined;

  constructor(fetch: SecretFetch) {
    let found: (secret: string) => void = () => undefined;
    this.secret = new Promise((resolve) => (found = resolve));
    this.#source = startSecretSource({
      fetch: async (signal) => {
        const outcome = await fetch(signal);
        this.outcomes.push(outcome);
        this.#onOutcome();
        return outcome;
      },
      onSecret: (secret) => {
        this.secrets.push(secret);
        found(secret);
      },
      onWaiting: (waiting) => this.waiting.push(waiting),
      clock: hastyClock,
    });
  }

  /** Resolves when a number of tries has ended. */
  async tried(count: number): Promise<void> {
    while (this.outcomes.length < count) await new Promise<void>((resolve) => (this.#onOutcome = resolve));
  }

  stop(): void {
    this.#source.stop();
  }
}
