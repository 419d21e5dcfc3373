import { mintMacaroon } from '#relay/macaroon/mint.js';
import { MacaroonVerifier, type VerifiedMacaroon } from '#relay/macaroon/verify.js';
import { keepMacaroon } from './confidential.js';

export const testSecret = 'a secret that only tests know';

/** A genuine token with these caveats; throws where there can be none. */
export function mint(caveats: readonly string[], secret = testSecret): string {
  const minted = mintMacaroon({ secret, identifier: 'an app', location: 'https://arbiter:8080', caveats });
  if (!minted.ok) throw new Error(minted.reason);
  keepMacaroon(minted.token);
  return minted.token;
}

/** What a genuine token with these caveats says. */
export function verified(...caveats: readonly string[]): VerifiedMacaroon {
  return verifiedToken(mint(caveats));
}

/** What this token says; throws where its signature does not hold. */
export function verifiedToken(token: string): VerifiedMacaroon {
  const macaroon = new MacaroonVerifier({ secrets: [testSecret], cacheEntries: 1 }).verify(token);
  if (macaroon === undefined) throw new Error('the signature does not hold');
  return macaroon;
}
