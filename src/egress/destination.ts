import { isIP } from 'node:net';
import { domainToUnicode } from 'node:url';
import { LRUCache } from 'lru-cache';
import { parseUrl } from '../url.js';

/**
 * Where a job goes: a client's `uri`, parsed once by the WHATWG rules. The caveat check, the egress policy, the
 * request and the record all use this one result, so that no two of them can read the text differently.
 */
export interface Destination {
  /** The uri as the client wrote it. */
  readonly text: string;
  /** Normalised: case, default port, dot segments, percent-encoding, spelling of an IP address. */
  readonly href: string;
  /** Scheme, host and port, normalised: what lanes are made of. */
  readonly origin: string;
  readonly protocol: 'https:' | 'http:';
  /** Normalised host; an IPv6 literal without its brackets. */
  readonly host: string;
  /** The literal IP address, if the host is one; `undefined` for a name. */
  readonly address: string | undefined;
  readonly port: number;
  /** Path and query, as they go on the request line. */
  readonly path: string;
}

export type ParsedDestination =
  | { readonly ok: true; readonly destination: Destination }
  | { readonly ok: false; readonly reason: string };

const trailingDot = 'has a host that ends in a dot';

/**
 * Longest uri, in UTF-16 code units, as it is written and normalised: what HTTP servers commonly accept as a request
 * line.
 */
export const maxUriLength = 8192;
const tooLong = `is longer than ${maxUriLength} characters`;

/**
 * Parses a client's uri strictly: what a person and a parser could read differently is refused rather than
 * guessed at.
 */
export function parseDestination(text: string): ParsedDestination {
  const known = recent.get(text);
  if (known !== undefined) return known;
  const parsed = parseAnew(text);
  if (parsed.ok && text.length <= maxRecentLength) recent.set(text, parsed);
  return parsed;
}

/**
 * Destinations parsed lately. Apps export to few uris and ask for each again and again: to parse it took a twentieth of
 * a submission, and jobs that go to the same place share what was parsed. At most some two megabytes.
 */
const recent = new LRUCache<string, ParsedDestination>({ max: 1000 });
const maxRecentLength = 512;

function parseAnew(text: string): ParsedDestination {
  const reason = ambiguity(text);
  if (reason !== undefined) return { ok: false, reason };
  const url = parseUrl(text);
  if (url === undefined) return invalid('is not an absolute URL');
  // One character may take nine once it is encoded.
  if (url.href.length > maxUriLength) return invalid(tooLong);
  const { protocol } = url;
  if (protocol !== 'https:' && protocol !== 'http:') return invalid('must be an https: or http: URL');
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  // `ambiguity` sees what becomes of an address; of a name this does, whatever it was written with.
  if (host.endsWith('.')) return invalid(trailingDot);
  if (hasBrokenPunycode(host)) return invalid('has a host name that cannot be decoded');
  const destination: Destination = {
    text,
    href: url.href,
    origin: url.origin,
    protocol,
    host,
    address: isIP(host) === 0 ? undefined : host,
    port: url.port === '' ? (protocol === 'https:' ? 443 : 80) : Number(url.port),
    // Not `pathname + search`, which loses the `?` of an empty query.
    path: url.href.slice(url.origin.length),
  };
  return { ok: true, destination };
}

/** Whether a label is marked as punycode and is none. Some versions of Node refuse such a name, others let it pass. */
function hasBrokenPunycode(host: string): boolean {
  if (!host.includes('xn--')) return false;
  const labels = domainToUnicode(host).split('.');
  return labels.includes('') || labels.some((label) => label.startsWith('xn--'));
}

/** Why the text is ambiguous before any parser has normalised it, or `undefined`. */
function ambiguity(text: string): string | undefined {
  if (text.length > maxUriLength) return tooLong;
  // The WHATWG parser strips or encodes these silently.
  if (/[\s\p{Cc}]/u.test(text)) return 'contains white space or control characters';
  if (text.includes('\\')) return 'contains a backslash';
  if (!text.isWellFormed()) return 'contains half of a surrogate pair';
  if (text.includes('#')) return 'has a fragment';
  const authority = /^[a-z]+:\/*([^/?]*)/i.exec(text)?.[1] ?? '';
  // Even an empty `:@` counts: the parser drops it without a trace.
  if (authority.includes('@')) return 'carries user information';
  if (endsInDot(authority.replace(/:\d*$/, ''))) return trailingDot;
  return undefined;
}

/**
 * Whether a host, as written, ends in a dot in any spelling. The parser drops the dot of an IPv4 address without
 * a trace, so this undoes by hand what it would do: percent-decoding, then the mapping of UTS #46, which removes
 * ignorable characters (a soft hyphen behind the dot) and folds compatibility forms.
 */
function endsInDot(host: string): boolean {
  const mapped = percentDecoded(host)
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .normalize('NFKC');
  return /[.\u3002]$/.test(mapped);
}

function percentDecoded(host: string): string {
  try {
    return decodeURIComponent(host);
  } catch {
    // Not UTF-8: no parser takes it for a host.
    return host;
  }
}

function invalid(reason: string): ParsedDestination {
  return { ok: false, reason };
}
