import { isIPv6 } from 'node:net';
import { parseUrl } from '../url.js';

/** Where the arbiter is, and what it speaks there. */
export type ArbiterEndpoint =
  | {
      readonly protocol: 'zest';
      /** `tcp://host:port`. */
      readonly address: string;
      /** Whether the host is a literal IPv6 address. */
      readonly ipv6: boolean;
    }
  | {
      readonly protocol: 'http';
      /** `http(s)://host[:port][/path]`, without a slash at the end. */
      readonly address: string;
      readonly tls: boolean;
    };

export type ParsedEndpoint =
  | { readonly ok: true; readonly endpoint: ArbiterEndpoint }
  | { readonly ok: false; readonly reason: string };

const defaultZestPort = '4444';

/** Reads `tcp://host:4444` (Zest) or `http(s)://host:port`. */
export function parseArbiterEndpoint(text: string): ParsedEndpoint {
  if (text.startsWith('tcp://')) return parseZest(text.slice('tcp://'.length));
  const url = parseUrl(text);
  if (url !== undefined) return parseHttp(url);
  return invalid('must be tcp://host:4444 or http(s)://host:port');
}

/** By hand: ZeroMQ's addresses know wildcards and source addresses, which a URL parser would let through. */
function parseZest(authority: string): ParsedEndpoint {
  const match = /^(?:\[(?<v6>[0-9a-f:.]+)\]|(?<name>[\w.-]+))(?::(?<port>\d{1,5}))?\/?$/i.exec(authority);
  const { v6, name, port = defaultZestPort } = match?.groups ?? {};
  if (v6 === undefined && name === undefined) return invalid('must be tcp://host:port');
  if (v6 !== undefined && !isIPv6(v6)) return invalid('names no IPv6 address between its brackets');
  if (Number(port) < 1 || Number(port) > 65_535) return invalid('needs a port from 1 to 65535');
  const host = v6 === undefined ? name : `[${v6}]`;
  const address = `tcp://${host}:${Number(port)}`;
  return { ok: true, endpoint: { protocol: 'zest', address, ipv6: v6 !== undefined } };
}

function parseHttp(url: URL): ParsedEndpoint {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return invalid('must be tcp://host:4444 or http(s)://host:port');
  }
  // It is printed while the relay waits, so nothing secret may be in it.
  if (url.username !== '' || url.password !== '') return invalid('must not carry user information');
  if (url.search !== '' || url.hash !== '') return invalid('must not have a query or a fragment');
  const address = `${url.origin}${url.pathname}`.replace(/\/+$/, '');
  return { ok: true, endpoint: { protocol: 'http', address, tls: url.protocol === 'https:' } };
}

function invalid(reason: string): ParsedEndpoint {
  return { ok: false, reason };
}
