import ipaddr from 'ipaddr.js';
import { type Address, covers, type Network, parseAddress, parseNetwork } from './network.js';

/** What kind of address one is. Only `public` ones are reached without an operator's leave. */
export type AddressClass = 'public' | RefusedAddressClass;

export type RefusedAddressClass =
  | 'unspecified'
  | 'loopback'
  | 'private'
  | 'unique_local'
  | 'link_local'
  | 'cgnat'
  | 'cloud_host'
  | 'multicast'
  | 'documentation'
  | 'benchmarking'
  | 'embedded_ipv4'
  | 'reserved'
  | 'not_an_address';

/**
 * The IANA special-purpose registries, plus what they leave open: addresses that are infrastructure rather than
 * somebody's server, and the one public address that is a cloud's own host. ipaddr.js has a table too; it lacks
 * several of these.
 */
const refusedIpv4 = rows([
  ['unspecified', '0.0.0.0/8'], // RFC 1122; Linux connects 0.0.0.0 to the loopback
  ['private', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'], // RFC 1918
  ['cgnat', '100.64.0.0/10'], // RFC 6598; Alibaba's metadata service and Tailscale live here
  ['loopback', '127.0.0.0/8'],
  ['link_local', '169.254.0.0/16'], // RFC 3927; cloud metadata services
  ['cloud_host', '168.63.129.16/32'], // Azure's wire server, reachable from every virtual machine
  ['documentation', '192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24'], // RFC 5737
  ['benchmarking', '198.18.0.0/15'], // RFC 2544
  ['multicast', '224.0.0.0/4'],
  ['reserved', '192.0.0.0/24'], // RFC 6890, IETF protocols; Oracle's metadata service
  ['reserved', '192.31.196.0/24', '192.175.48.0/24'], // RFC 7535 and 7534, AS112 sinks
  ['reserved', '192.52.193.0/24'], // RFC 7450, multicast tunnel relays
  ['reserved', '192.88.99.0/24'], // RFC 7526, 6to4 relays
  ['reserved', '240.0.0.0/4'], // RFC 1112, the broadcast address included
]);

const refusedIpv6 = rows([
  ['unspecified', '::/128'],
  ['loopback', '::1/128'],
  ['unique_local', 'fc00::/7'], // RFC 4193; AWS's and Google's metadata services
  ['link_local', 'fe80::/10'],
  ['private', 'fec0::/10'], // RFC 3879, the deprecated site-local addresses
  ['multicast', 'ff00::/8'],
  ['documentation', '2001:db8::/32', '3fff::/20'], // RFC 3849, RFC 9637
  ['benchmarking', '2001:2::/48'], // RFC 5180
]);

/**
 * Where IPv6 addresses carry IPv4 ones, by byte offset; Teredo hides its client's behind inverted bits. ISATAP's
 * interface identifiers are left out: they mean something only to a host with such an interface.
 */
const embeddings: readonly { readonly network: Network; readonly offsets: readonly Offset[] }[] = [
  { network: network('::ffff:0:0/96'), offsets: [{ at: 12 }] }, // mapped, RFC 4291
  { network: network('::ffff:0:0:0/96'), offsets: [{ at: 12 }] }, // translated, RFC 2765
  { network: network('64:ff9b::/96'), offsets: [{ at: 12 }] }, // NAT64, RFC 6052
  { network: network('64:ff9b:1::/48'), offsets: [{ at: 12 }] }, // local NAT64, RFC 8215; cut as a /96
  { network: network('2002::/16'), offsets: [{ at: 2 }] }, // 6to4, RFC 3056
  { network: network('2001::/32'), offsets: [{ at: 4 }, { at: 12, inverted: true }] }, // Teredo, RFC 4380
  { network: network('::/96'), offsets: [{ at: 12 }] }, // compatible, RFC 4291; `::` and `::1` come before
];

interface Offset {
  readonly at: number;
  readonly inverted?: boolean;
}

/** The part of IPv6 that is handed out to the public at all (RFC 4291); the rest is reserved. */
const globalUnicast = network('2000::/3');
/** RFC 6890's block for IETF protocols, and RFC 7534's AS112 sink: inside of `globalUnicast`, nobody's server. */
const reservedInside = [network('2001::/23'), network('2620:4f:8000::/48')];

const loopbackIpv4 = ipaddr.IPv4.parse('127.0.0.1');
const loopbackIpv6 = ipaddr.IPv6.parse('::1');

/**
 * The class of an address as sockets and resolvers print it. Never throws: what is no address is
 * `not_an_address`. An IPv6 address that carries an IPv4 one has the class of the latter if that is refused,
 * else `embedded_ipv4`.
 */
export function classifyAddress(text: string): AddressClass {
  const address = parseAddress(text);
  if (address === undefined) return 'not_an_address';
  for (const one of identities(address)) {
    const ownClass = classOf(one);
    if (ownClass !== 'public') return ownClass;
  }
  return 'public';
}

/**
 * Every address that a connection to this one may end at, as far as the address tells: the IPv4 addresses it
 * carries, itself, and for an unspecified one the loopback, which is where kernels connect it. All must be
 * permitted.
 */
export function identities(address: Address): readonly Address[] {
  if (classOf(address) !== 'unspecified') {
    return address instanceof ipaddr.IPv4 ? [address] : [...carried(address).flatMap(identities), address];
  }
  return [address, address instanceof ipaddr.IPv4 ? loopbackIpv4 : loopbackIpv6];
}

/** The class of an address by itself, whatever it may carry. */
export function classOf(address: Address): AddressClass {
  if (address instanceof ipaddr.IPv4) return classFrom(refusedIpv4, address) ?? 'public';
  const refused = classFrom(refusedIpv6, address);
  if (refused !== undefined) return refused;
  if (embeddings.some(({ network }) => covers(network, address))) return 'embedded_ipv4';
  if (!covers(globalUnicast, address)) return 'reserved';
  return reservedInside.some((reserved) => covers(reserved, address)) ? 'reserved' : 'public';
}

function carried(address: ipaddr.IPv6): readonly ipaddr.IPv4[] {
  if (classFrom(refusedIpv6, address) !== undefined) return [];
  const embedding = embeddings.find(({ network }) => covers(network, address));
  if (embedding === undefined) return [];
  const bytes = address.toByteArray();
  return embedding.offsets.map(({ at, inverted = false }) => {
    const octets = bytes.slice(at, at + 4);
    return new ipaddr.IPv4(inverted ? octets.map((octet) => octet ^ 0xff) : octets);
  });
}

type Row = readonly [addressClass: RefusedAddressClass, network: Network];

function classFrom(table: readonly Row[], address: Address): RefusedAddressClass | undefined {
  return table.find(([, network]) => covers(network, address))?.[0];
}

function rows(table: readonly (readonly [RefusedAddressClass, ...string[]])[]): readonly Row[] {
  return table.flatMap(([addressClass, ...networks]) =>
    networks.map((text): Row => [addressClass, network(text)]),
  );
}

function network(text: string): Network {
  const parsed = parseNetwork(text);
  if (parsed === undefined) throw new Error(`The address table has a malformed network: ${text}`);
  return parsed;
}
