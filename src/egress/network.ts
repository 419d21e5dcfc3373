import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** An IP address, parsed. An IPv6 zone (`%eth0`) is dropped: no rule depends on it. */
export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A range of addresses, as written in `--allow-network`. */
export interface Network {
  /** As the operator wrote it. */
  readonly text: string;
  readonly address: Address;
  /** How many leading bits of `address` count. */
  readonly bits: number;
}

/**
 * Parses an address as sockets and resolvers print it: four decimal parts, or RFC 4291. Any other spelling is no
 * address here; `parseDestination` has folded those before.
 */
export function parseAddress(text: string): Address | undefined {
  switch (isIP(text)) {
    case 4:
      return ipaddr.IPv4.parse(text);
    case 6:
      return ipaddr.IPv6.parse(withoutDottedPart(text.replace(/%.*$/s, '')));
    default:
      return undefined;
  }
}

/** An IPv6 address with its dotted tail as two groups: ipaddr.js reads `::1.2.3.4` as `::ffff:1.2.3.4`. */
function withoutDottedPart(text: string): string {
  const start = text.lastIndexOf(':') + 1;
  if (!text.includes('.', start)) return text;
  const [a = 0, b = 0, c = 0, d = 0] = ipaddr.IPv4.parse(text.slice(start)).octets;
  return `${text.slice(0, start)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

/**
 * Parses a CIDR range such as `10.0.0.0/8` or `fd00::/8`; a bare address is a range of one. `undefined` for
 * anything else, and for a range with bits set beyond its prefix (`10.1.2.3/8`): whoever writes that may mean
 * the one address or the whole network, and this list opens doors.
 */
export function parseNetwork(text: string): Network | undefined {
  const [, base = '', prefix] = /^([^/%]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const address = parseAddress(base);
  if (address === undefined) return undefined;
  const width = address.kind() === 'ipv4' ? 32 : 128;
  const bits = prefix === undefined ? width : Number(prefix);
  if (bits > width || hasBitsBeyond(address, bits)) return undefined;
  return { text, address, bits };
}

function hasBitsBeyond(address: Address, bits: number): boolean {
  return address.toByteArray().some((byte, index) => {
    const kept = Math.min(Math.max(bits - index * 8, 0), 8);
    return (byte & (0xff >> kept)) !== 0;
  });
}

/**
 * Whether a network covers an address. An IPv4-mapped IPv6 address is compared as the IPv4 address too, since a
 * socket treats the two alike.
 */
export function covers(network: Network, address: Address): boolean {
  if (network.address.kind() === address.kind()) return address.match(network.address, network.bits);
  return (
    address instanceof ipaddr.IPv6 &&
    address.isIPv4MappedAddress() &&
    address.toIPv4Address().match(network.address, network.bits)
  );
}
