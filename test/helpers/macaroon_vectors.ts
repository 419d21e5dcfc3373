import { readFixture } from './fixture.js';

/** A macaroon published with a known secret, and whether it is to be accepted where `satisfyExact` are satisfied. */
export interface Vector {
  readonly id: string;
  readonly kind: string;
  readonly secret: string;
  readonly secretIsRaw: boolean;
  readonly identifier: string;
  readonly location: string;
  readonly caveats: readonly string[];
  readonly publishedSignature: string | undefined;
  /** All spellings of the one token. */
  readonly tokens: readonly string[];
  readonly satisfyExact: readonly string[];
  readonly authorized: boolean;
}

export interface HostileToken {
  readonly id: string;
  readonly what: string;
  readonly secret: string;
  readonly token: string;
  readonly relayShould: string;
}

const fixture = asRecord(readFixture('macaroons.json'));

/** Every published vector but those that are no v1 macaroon at all. */
export function readVectors(): readonly Vector[] {
  return records('vectors')
    .filter((vector) => vector['kind'] !== 'malformed')
    .map((vector) => ({
      id: asText(vector['id']),
      kind: asText(vector['kind']),
      secret: asText(vector['secret']),
      secretIsRaw: vector['secretIsRaw'] === true,
      identifier: asText(vector['identifier']),
      location: asText(vector['location']),
      caveats: asList(vector['caveats']).map(asText),
      publishedSignature:
        vector['publishedSignature'] === undefined ? undefined : asText(vector['publishedSignature']),
      tokens: [
        vector['publishedToken'] ?? vector['computedToken'],
        ...asList(vector['tokenVariants'] ?? []),
      ].map(asText),
      satisfyExact: asList(vector['satisfyExact']).map(asText),
      authorized: vector['authorized'] === true,
    }));
}

/** Texts that are no v1 macaroon, by the id of their vector. */
export function readMalformed(): readonly { readonly id: string; readonly token: string }[] {
  return records('vectors')
    .filter((vector) => vector['kind'] === 'malformed')
    .map((vector) => ({ id: asText(vector['id']), token: asText(vector['publishedToken']) }));
}

export function readHostile(): readonly HostileToken[] {
  return records('hostile').map((row) => ({
    id: asText(row['id']),
    what: asText(row['what']),
    secret: asText(row['secret']),
    token: asText(row['token']),
    relayShould: asText(row['relayShould']),
  }));
}

function records(key: string): readonly Readonly<Record<string, unknown>>[] {
  return asList(fixture[key]).map(asRecord);
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new TypeError('the fixture lacks an object');
  return Object.fromEntries(Object.entries(value));
}

function asList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError('the fixture lacks a list');
  return value;
}

function asText(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('the fixture lacks a text');
  return value;
}
