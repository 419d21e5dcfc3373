import { LRUCache } from 'lru-cache';
import { deriveKey, signatureHolds } from './chain.js';
import { type Predicate, toPredicate } from './predicate.js';
import { decodeMacaroon, type Macaroon } from './token.js';

const verified = Symbol('verified');

/**
 * What a token says once its signature was found to hold; only `MacaroonVerifier` makes one. The location is not in
 * it: nobody signs it.
 */
export interface VerifiedMacaroon {
  readonly [verified]: true;
  readonly identifier: string;
  /** In the order they were added. */
  readonly caveats: readonly Predicate[];
}

export interface VerifierOptions {
  /** Root secrets as text, none of them empty. Any of them verifies, so that one can be rotated. */
  readonly secrets: readonly string[];
  /** How many verified tokens are remembered, as long as their texts together are not too long. */
  readonly cacheEntries: number;
}

/** In characters. With what is kept beside the texts, some 10 MB. */
const maxCachedLength = 4 * 1024 * 1024;

/**
 * Tells whether a token's signature holds under one of the secrets. That alone permits nothing: every caveat must
 * be satisfied too, request by request (`caveats.ts`).
 */
export class MacaroonVerifier {
  readonly #keys: readonly Buffer[];
  /**
   * By their whole text, so that nothing is shared between tokens that differ in a single byte. Texts are compared
   * only where their hashes agree, so how long a miss takes tells nothing about how close a guess came.
   */
  readonly #cache: LRUCache<string, VerifiedMacaroon>;

  /** Throws where a secret is empty or there is none: such a verifier would be open or useless. */
  constructor({ secrets, cacheEntries }: VerifierOptions) {
    if (secrets.length === 0 || secrets.includes('')) throw new Error('A macaroon secret must not be empty.');
    this.#keys = secrets.map(deriveKey);
    this.#cache = new LRUCache({
      max: cacheEntries,
      maxSize: maxCachedLength,
      sizeCalculation: (_verified, text) => text.length,
    });
  }

  /**
   * The token's content, or `undefined` where it is malformed or no secret signed it. Failures are not remembered:
   * anybody can make them up, and would push the genuine ones out.
   */
  verify(text: string): VerifiedMacaroon | undefined {
    const known = this.#cache.get(text);
    if (known !== undefined) return known;
    const decoded = decodeMacaroon(text);
    if (!decoded.ok || !this.#isGenuine(decoded.macaroon)) return undefined;
    const { identifier, caveats } = decoded.macaroon;
    const result: VerifiedMacaroon = { [verified]: true, identifier, caveats: caveats.map(toPredicate) };
    this.#cache.set(text, result);
    return result;
  }

  #isGenuine(macaroon: Macaroon): boolean {
    return this.#keys.some((key) => signatureHolds(macaroon, key));
  }
}
