import type { SecretFetch } from './arbiter/outcome.js';
import { startSecretSource } from './arbiter/secret_source.js';
import type { Clock } from './clock.js';
import type { Logger } from './log/logger.js';
import { MacaroonVerifier } from './macaroon/verify.js';

export interface VerifierSource {
  /** Undefined until the secret is known. */
  readonly verifier: () => MacaroonVerifier | undefined;
  readonly stop: () => void;
}

export interface VerifierSourceOptions {
  /** Any of them verifies. */
  readonly secrets: readonly string[];
  /** How to get the secret where none is configured. */
  readonly fetchSecret: SecretFetch | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Verified macaroons kept, fewer if they are long: some 10 MB in any case. */
const verifiedMacaroons = 10_000;

/** The verifier: at once with configured secrets, else as soon as the arbiter has given one, and then for good. */
export function startVerifierSource({
  secrets,
  fetchSecret,
  clock,
  logger,
}: VerifierSourceOptions): VerifierSource {
  const create = (known: readonly string[]): MacaroonVerifier =>
    new MacaroonVerifier({ secrets: known, cacheEntries: verifiedMacaroons });
  if (fetchSecret === undefined) {
    const verifier = create(secrets);
    return { verifier: () => verifier, stop: () => undefined };
  }
  let verifier: MacaroonVerifier | undefined;
  const source = startSecretSource({
    fetch: fetchSecret,
    clock,
    onSecret: (secret) => {
      verifier = create([secret]);
      logger.info('got the macaroon secret from the arbiter');
    },
    onWaiting: (waiting) => logger.warn(waiting, 'waiting for the macaroon secret from the arbiter'),
  });
  return { verifier: () => verifier, stop: () => source.stop() };
}
