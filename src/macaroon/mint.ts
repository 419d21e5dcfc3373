import MacaroonsBuilder from 'macaroons.js/lib/MacaroonsBuilder.js';

/** A new macaroon with first-party caveats in the order given, in serialization v1. */
export function mintMacaroon(parts: {
  readonly secret: string;
  readonly identifier: string;
  readonly location: string;
  readonly caveats: readonly string[];
}): string {
  const builder = new MacaroonsBuilder(parts.location, parts.secret, parts.identifier);
  for (const caveat of parts.caveats) builder.add_first_party_caveat(caveat);
  return builder.getMacaroon().serialize();
}
