import test from 'ava';
import fc from 'fast-check';
import { parseDestination } from '#relay/egress/destination.js';
import { judgeDestination } from '#relay/egress/policy.js';
import { destinationCases } from '../helpers/destination_cases.js';
import { policy } from '../helpers/egress.js';

const { ipv4Deny, ipv6DenyInside } = destinationCases().referenceRule;

/** An IPv4 address as a number, from one of the networks. */
function ipv4From(networks: readonly string[]): fc.Arbitrary<number> {
  return fc.constantFrom(...networks).chain((network) => {
    const [base = '', bits] = network.split('/');
    const first = base.split('.').reduce((value, octet) => value * 256 + Number(octet), 0);
    return fc.integer({ min: first, max: first + 2 ** (32 - Number(bits)) - 1 });
  });
}

/** One number as the URL parser reads it: decimal, octal or hexadecimal, with any leading zeros. */
function numberSpelling(value: number): fc.Arbitrary<string> {
  const zeros = fc.integer({ min: 0, max: 8 }).map((count) => '0'.repeat(count));
  return fc.oneof(
    fc.constant(String(value)),
    zeros.map((padding) => `0${padding}${value.toString(8)}`),
    fc.tuple(fc.constantFrom('0x', '0X'), zeros, fc.boolean()).map(([prefix, padding, upper]) => {
      const digits = value.toString(16);
      return prefix + padding + (upper ? digits.toUpperCase() : digits);
    }),
  );
}

/** One to four parts, of which the last takes all the bytes that are left. */
function partsOf(address: number): fc.Arbitrary<string> {
  return fc.integer({ min: 1, max: 4 }).chain((count) => {
    const heads = [24, 16, 8].slice(0, count - 1).map((shift) => Math.floor(address / 2 ** shift) % 256);
    const last = address % 2 ** (32 - 8 * (count - 1));
    return fc.tuple(...[...heads, last].map(numberSpelling)).map((parts) => parts.join('.'));
  });
}

/** Other characters that hosts may be written with and that IDNA maps back, drops, or the parser decodes. */
function disguised(host: string): fc.Arbitrary<string> {
  const ways = fc.array(fc.integer({ min: 0, max: 7 }), { minLength: host.length, maxLength: host.length });
  return ways.map((chosen) =>
    Array.from(host, (character, index) => disguise(character, chosen[index] ?? 0)).join(''),
  );
}

function disguise(character: string, way: number): string {
  const code = character.codePointAt(0) ?? 0;
  switch (way) {
    case 0:
      return `%${code.toString(16)}`;
    case 1:
      return String.fromCodePoint(code + 0xfee0);
    case 2:
      return `\u00ad${character}`;
    case 3:
      return `\u200b${character}`;
    case 4:
      return character === '.' ? '\u3002' : character;
    case 5:
      return /[1-9]/.test(character) ? String.fromCodePoint(0x2460 + Number(character) - 1) : character;
    default:
      return character;
  }
}

function spelled(address: number): fc.Arbitrary<string> {
  return fc.oneof(partsOf(address), partsOf(address).chain(disguised));
}

const publicIpv4 = fc.constantFrom('8.8.8.0/24', '93.184.216.0/24', '1.1.1.0/24', '223.255.255.0/24');

test('no spelling of a refused IPv4 address passes', (t) => {
  fc.assert(
    fc.property(ipv4From(ipv4Deny).chain(spelled), (host) => {
      t.like(fate(host), { parsed: true, allowed: false }, host);
    }),
    { numRuns: 3000 },
  );
});

test('every spelling of a public IPv4 address passes', (t) => {
  const hosts = publicIpv4.chain((network) => ipv4From([network])).chain(spelled);
  fc.assert(
    fc.property(hosts, (host) => {
      t.like(fate(host), { parsed: true, allowed: true }, host);
    }),
    { numRuns: 1000 },
  );
});

/** Every IPv6 form that carries an IPv4 address. */
function carrying(address: number): fc.Arbitrary<readonly number[]> {
  const high = Math.floor(address / 65536);
  const low = address % 65536;
  return fc.constantFrom(
    [0, 0, 0, 0, 0, 0xffff, high, low],
    [0, 0, 0, 0, 0xffff, 0, high, low],
    [0, 0, 0, 0, 0, 0, high, low],
    [0x64, 0xff9b, 0, 0, 0, 0, high, low],
    [0x64, 0xff9b, 1, 0, 0, 0, high, low],
    [0x2002, high, low, 0, 0, 0, 0, 1],
    [0x2001, 0, high, low, 0, 0, 0xf7f7, 0xf7f7],
    [0x2001, 0, 0x0808, 0x0808, 0, 0, high ^ 0xffff, low ^ 0xffff],
  );
}

function insideIpv6(network: string): fc.Arbitrary<readonly number[]> {
  const [base = '', prefix] = network.split('/');
  const bits = Number(prefix);
  const head = base
    .replace(/::$/, '')
    .split(':')
    .map((group) => parseInt(group, 16));
  const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 });
  return groups.map((random) =>
    random.map((group, index) => {
      const kept = Math.min(Math.max(bits - index * 16, 0), 16);
      const mask = (0xffff << (16 - kept)) & 0xffff;
      return ((head[index] ?? 0) & mask) | (group & ~mask & 0xffff);
    }),
  );
}

/** Eight groups as a URL may have them: padded or not, upper or lower case, zeros shortened, a dotted tail. */
function ipv6Spelling(groups: readonly number[]): fc.Arbitrary<string> {
  return fc
    .record({ padded: fc.boolean(), upper: fc.boolean(), shortened: fc.boolean(), dotted: fc.boolean() })
    .map(({ padded, upper, shortened, dotted }) => {
      const digits = groups.map((group) => group.toString(16).padStart(padded ? 4 : 1, '0'));
      const [high = 0, low = 0] = groups.slice(6);
      const tail = [high >> 8, high & 255, low >> 8, low & 255].join('.');
      const parts = dotted ? [...digits.slice(0, 6), tail] : digits;
      const text = parts.join(':');
      const short = shortened ? text.replace(/(?:^|:)0+(?::0+)+(?::|$)/, '::') : text;
      return `[${upper ? short.toUpperCase() : short}]`;
    });
}

test('no spelling of a refused IPv6 address passes, nor one that carries a refused IPv4 address', (t) => {
  const refused = fc.oneof(
    ipv4From(ipv4Deny).chain(carrying),
    fc
      .constantFrom(
        ...ipv6DenyInside,
        'fc00::/7',
        'fe80::/10',
        'fec0::/10',
        'ff00::/8',
        '5f00::/16',
        '4000::/3',
      )
      .chain(insideIpv6),
    fc.constant([0, 0, 0, 0, 0, 0, 0, 1]),
  );
  fc.assert(
    fc.property(refused.chain(ipv6Spelling), (host) => {
      t.like(fate(host), { parsed: true, allowed: false }, host);
    }),
    { numRuns: 3000 },
  );
});

test('every spelling of a public IPv6 address passes', (t) => {
  fc.assert(
    fc.property(insideIpv6('2606:4700::/32').chain(ipv6Spelling), (host) => {
      t.like(fate(host), { parsed: true, allowed: true }, host);
    }),
    { numRuns: 1000 },
  );
});

/** Whether the host is taken for a literal address, and whether the default policy lets it pass. */
function fate(host: string): { readonly parsed: boolean; readonly allowed: boolean } {
  const result = parseDestination(`https://${host}/`);
  if (!result.ok) return { parsed: false, allowed: false };
  const { allowed } = judgeDestination(result.destination, policy(), []);
  return { parsed: result.destination.address !== undefined, allowed };
}
