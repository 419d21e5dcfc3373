// Not the package's index, which comes without types.
import MacaroonsBuilder from 'macaroons.js/lib/MacaroonsBuilder.js';
import { signCaveat } from './chain.js';
import { type Caveat, decodeMacaroon, encodeMacaroon, type Macaroon } from './token.js';

/** A token that the relay's decoder accepts, or why there can be none. */
export type MintedMacaroon =
  | { readonly ok: true; readonly token: string }
  | { readonly ok: false; readonly reason: string };

export interface MintOptions {
  readonly secret: string;
  readonly identifier: string;
  readonly location: string;
  readonly caveats: readonly string[];
}

/** Mints a macaroon. Caveats are taken as they are, whether or not a relay would understand them. */
export function mintMacaroon({ secret, identifier, location, caveats }: MintOptions): MintedMacaroon {
  if (secret === '') return { ok: false, reason: 'the secret is empty' };
  if (![secret, identifier, location, ...caveats].every((text) => text.isWellFormed())) return notText;
  // The secret goes in as text: given bytes, the library would take them for the key and skip the derivation.
  const builder = new MacaroonsBuilder(location, secret, identifier);
  for (const caveat of caveats) builder.add_first_party_caveat(caveat);
  return usable(builder.getMacaroon().serialize());
}

/**
 * Appends caveats to a token, offline: it takes no secret, and no caveat can be taken away again.
 *
 * This goes by the relay's own codec, because macaroons.js's decoder throws on hostile tokens, repairs malformed
 * ones, and rewrites caveats that are not UTF-8, which breaks the signature.
 */
export function attenuateMacaroon(text: string, caveats: readonly string[]): MintedMacaroon {
  if (!caveats.every((caveat) => caveat.isWellFormed())) return notText;
  const decoded = decodeMacaroon(text);
  if (!decoded.ok) return decoded;
  return usable(encodeMacaroon(caveats.reduce(withCaveat, decoded.macaroon)));
}

const notText: MintedMacaroon = { ok: false, reason: 'a text holds half of a surrogate pair' };

function withCaveat(macaroon: Macaroon, text: string): Macaroon {
  const caveat: Caveat = { kind: 'first-party', cid: Buffer.from(text), text };
  return {
    ...macaroon,
    caveats: [...macaroon.caveats, caveat],
    signature: signCaveat(macaroon.signature, caveat),
  };
}

/** Hands out no token that a relay would refuse for its length or its number of caveats. */
function usable(token: string): MintedMacaroon {
  const decoded = decodeMacaroon(token);
  return decoded.ok ? { ok: true, token } : decoded;
}
