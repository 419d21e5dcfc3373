import type { Clock } from '../clock.js';
import type { FetchOutcome, SecretFetch } from './outcome.js';

export interface SecretSourceOptions {
  readonly fetch: SecretFetch;
  /** Called once at most. */
  readonly onSecret: (secret: string) => void;
  /** Called after a failed try, at most once a minute. */
  readonly onWaiting: (waiting: Waiting) => void;
  readonly clock: Clock;
  /** For tests: at least 0, below 1. */
  readonly random?: () => number;
}

/** What the operator should know while there is no secret. Holds no token, key or secret. */
export interface Waiting {
  /** What the last try ended with. */
  readonly reason: FetchOutcome['reason'];
  readonly detail: string;
  /** Tries so far. */
  readonly tries: number;
}

export interface SecretSource {
  /** Ends a try in flight and all waiting, at once. Idempotent. */
  readonly stop: () => void;
}

const shortestDelayMs = 500;
const longestDelayMs = 10_000;
const reportEveryMs = 60_000;

/**
 * How long to wait after a number of failed tries (1 or more): between half a second and an upper bound that doubles
 * from one second to ten, so that services that start together do not ask together.
 */
export function backOffMs(failedTries: number, random: number): number {
  const bound = Math.min(longestDelayMs, shortestDelayMs * 2 ** Math.min(failedTries, 16));
  return shortestDelayMs + random * (bound - shortestDelayMs);
}

/**
 * Fetches the macaroon secret at the start, and never after:
 *
 *     asking ── a secret, the try before was answered ──▶ done
 *       ▲ │
 *       │ └── anything else ──▶ waiting
 *       └────── back-off ──────────┘        stop(): from anywhere, for good
 *
 * On a Zest arbiter every answered request makes a new secret and invalidates all macaroons minted with the old one.
 * So there is no refresh, no timer after the first secret, and no way for a bad macaroon to cause a fetch: any app
 * could send one, and log out all others with it.
 *
 * Starts asking at once.
 */
export function startSecretSource(options: SecretSourceOptions): SecretSource {
  const { fetch, onSecret, onWaiting, clock, random = Math.random } = options;
  const abort = new AbortController();
  let cancelWait = (): void => undefined;
  let tries = 0;
  let failedTries = 0;
  let reportedAtMs = Number.NEGATIVE_INFINITY;
  /** Whether an earlier request may still be answered, and make another secret. */
  let doubtful = false;

  const ask = async (): Promise<void> => {
    tries += 1;
    const outcome = await settle(fetch, abort.signal);
    if (abort.signal.aborted) return;
    if (outcome.reason === 'secret' && !doubtful) {
      onSecret(outcome.secret);
      return;
    }
    doubtful = staysDoubtful(outcome, doubtful);
    // The arbiter answers again: the one more try that makes sure need not wait long.
    failedTries = outcome.reason === 'secret' ? 1 : failedTries + 1;
    cancelWait = clock.after(backOffMs(failedTries, random()), () => void ask());
    report(outcome);
  };
  const report = (outcome: FetchOutcome): void => {
    if (clock.monotonicMs() - reportedAtMs < reportEveryMs) return;
    reportedAtMs = clock.monotonicMs();
    onWaiting({ reason: outcome.reason, detail: detailOf(outcome), tries });
  };

  void ask();
  return {
    stop: () => {
      abort.abort();
      cancelWait();
    },
  };
}

/**
 * A request that was given up may still lie in the arbiter's queue. An answer to a later request shows that the
 * arbiter works off its queue again (in whatever order), so what is asked after that answer is the last word.
 */
function staysDoubtful(outcome: FetchOutcome, doubtful: boolean): boolean {
  if (outcome.reason === 'no_answer') return doubtful || outcome.mayRotateLater;
  return doubtful && outcome.reason === 'unreachable';
}

/** A bug in a client must not end the loop in silence: the relay would never get ready. */
async function settle(fetch: SecretFetch, signal: AbortSignal): Promise<FetchOutcome> {
  try {
    return await fetch(signal);
  } catch (error) {
    const name = error instanceof Error ? error.name : 'unknown error';
    return { reason: 'unreachable', detail: `the try itself failed (${name})` };
  }
}

function detailOf(outcome: FetchOutcome): string {
  if (outcome.reason !== 'secret') return outcome.detail;
  return 'a secret, to be asked for once more: an earlier request may be answered after this one and change it';
}
