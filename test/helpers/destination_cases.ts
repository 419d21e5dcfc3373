import { readFixture } from './fixture.js';

export interface UrlCase {
  readonly id: string;
  readonly category: string;
  readonly url: string;
  readonly verdict: 'allowed' | 'refused' | 'invalid' | 'either';
  readonly why: string;
}

export interface DnsCase {
  readonly name: string;
  /** One answer per lookup: its addresses, or what happens instead. */
  readonly answers: readonly (readonly string[] | string)[];
  readonly verdict: string;
  readonly why: string;
}

/** The rule that was found to give every verdict of the cases. */
interface ReferenceRule {
  readonly ipv4Deny: readonly string[];
  readonly ipv6AllowOnly: string;
  readonly ipv6DenyInside: readonly string[];
}

interface DestinationCases {
  readonly referenceRule: ReferenceRule;
  readonly urls: readonly UrlCase[];
  readonly dns: readonly DnsCase[];
}

/** test/fixtures/destinations.json, checked. */
export function destinationCases(): DestinationCases {
  const { referenceRule, urls, dns } = record(readFixture('destinations.json'));
  const { ipv4Deny, ipv6AllowOnly, ipv6DenyInside } = record(referenceRule);
  return {
    referenceRule: {
      ipv4Deny: list(ipv4Deny, text),
      ipv6AllowOnly: text(ipv6AllowOnly),
      ipv6DenyInside: list(ipv6DenyInside, text),
    },
    urls: list(urls, urlCase),
    dns: list(dns, dnsCase),
  };
}

function urlCase(value: unknown): UrlCase {
  const row = record(value);
  const verdict = text(row['verdict']);
  if (verdict !== 'allowed' && verdict !== 'refused' && verdict !== 'invalid' && verdict !== 'either') {
    throw new TypeError(`unknown verdict ${verdict}`);
  }
  return {
    id: text(row['id']),
    category: text(row['category']),
    url: text(row['url']),
    verdict,
    why: text(row['why']),
  };
}

function dnsCase(value: unknown): DnsCase {
  const row = record(value);
  return {
    name: text(row['name']),
    answers: list(row['answers'], (answer) => (Array.isArray(answer) ? list(answer, text) : text(answer))),
    verdict: text(row['verdict']),
    why: text(row['why']),
  };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new TypeError('expected an object');
  return { ...value };
}

function list<Item>(value: unknown, item: (value: unknown) => Item): readonly Item[] {
  if (!Array.isArray(value)) throw new TypeError('expected an array');
  return value.map((entry: unknown) => item(entry));
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('expected a string');
  return value;
}
