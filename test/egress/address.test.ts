import { BlockList } from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import { type AddressClass, classifyAddress } from '#relay/egress/address.js';
import { parseUrl } from '#relay/url.js';
import { destinationCases } from '../helpers/destination_cases.js';

const classes: Readonly<Record<AddressClass, readonly string[]>> = {
  public: [
    '93.184.216.34',
    '8.8.8.8',
    '100.63.255.255',
    '100.128.0.0',
    '192.0.1.0',
    '168.63.129.17',
    '223.255.255.255',
    '2001:4860:4860::8888',
    '2606:4700:4700::1111',
    '2001:200::1',
    '2003::1',
    '2620:4f:8001::1',
    '3ffe::1',
  ],
  unspecified: ['0.0.0.0', '0.255.255.255', '::', '::ffff:0.0.0.0', '::0.0.0.2', '2001::1'],
  loopback: [
    '127.0.0.1',
    '127.255.255.255',
    '::1',
    '::1%lo',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '::ffff:0:127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::7f00:1',
    '2002:7f00:1::',
  ],
  private: [
    '10.0.0.1',
    '172.16.0.0',
    '172.31.255.255',
    '192.168.255.255',
    '::ffff:10.0.0.1',
    '2002:c0a8:101::1',
    'fec0::1',
    'feff::1',
  ],
  unique_local: ['fc00::1', 'fd00:ec2::254', 'fdff:ffff::'],
  link_local: ['169.254.169.254', 'fe80::1', 'febf::1', 'fe80::1%eth0', '64:ff9b::a9fe:a9fe'],
  cgnat: ['100.64.0.0', '100.100.100.200', '100.127.255.255'],
  cloud_host: ['168.63.129.16', '::ffff:168.63.129.16'],
  multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1', 'ff05::2'],
  documentation: ['192.0.2.1', '198.51.100.1', '203.0.113.255', '2001:db8::1', '3fff:fff::1'],
  benchmarking: ['198.18.0.0', '198.19.255.255', '2001:2::1'],
  embedded_ipv4: [
    '::ffff:8.8.8.8',
    '::8.8.8.8',
    '::ffff:0:8.8.8.8',
    '64:ff9b::808:808',
    '2002:808:808::1',
    '2001:0:808:808::f7f7:f7f7',
  ],
  reserved: [
    '192.0.0.1',
    '192.31.196.1',
    '192.52.193.1',
    '192.88.99.1',
    '192.175.48.1',
    '240.0.0.1',
    '255.255.255.255',
    '100::1',
    '64:ff9c::1',
    '5f00::1',
    '4000::1',
    '1fff::1',
    '2001:1::1',
    '2001:10::1',
    '2001:20::1',
    '2001:1ff::',
    '2620:4f:8000::1',
    'fe00::1',
  ],
  not_an_address: [
    '',
    'localhost',
    '1.2.3',
    '1.2.3.4.5',
    '0x7f000001',
    '2130706433',
    '127.1',
    '010.0.0.1',
    '[::1]',
    '::1%',
    '1::2::3',
    'CNAME arbiter.',
    '1.2.3.4 ',
    '１.2.3.4',
  ],
};

for (const [expected, addresses] of Object.entries(classes)) {
  test(`these addresses are ${expected}: ${addresses.join(', ')}`, (t) => {
    for (const address of addresses) {
      const actual: string = classifyAddress(address);
      t.is(actual, expected, address);
    }
  });
}

test('a Teredo address is judged by its server and by its client', (t) => {
  t.is(classifyAddress('2001:0:7f00:1::f7f7:f7f7'), 'loopback');
  t.is(classifyAddress('2001:0:808:808::80ff:fffe'), 'loopback');
});

/** Beyond the reference rule: a cloud's host, IETF protocol assignments (RFC 6890) and an AS112 sink (RFC 7534). */
const refusedBesides = blockList(['168.63.129.16/32', '2001::/23', '2620:4f:8000::/48']);

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [base = '', bits] = network.split('/');
    list.addSubnet(base, Number(bits), base.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}

test('an IPv4 address is public exactly if the reference rule lets it pass', (t) => {
  const { ipv4Deny } = destinationCases().referenceRule;
  const denied = blockList(ipv4Deny);
  const nearDenied = fc
    .tuple(fc.constantFrom(...ipv4Deny), fc.integer({ min: -2, max: 2 }), fc.boolean())
    .map(([network, step, atEnd]) => edgeOf(network, atEnd, step));
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), nearDenied), (address) => {
      const refused = denied.check(address, 'ipv4') || refusedBesides.check(address, 'ipv4');
      t.is(classifyAddress(address) !== 'public', refused, address);
    }),
    { numRuns: 3000 },
  );
});

/** The address `step` away from the first or the last one of a network. */
function edgeOf(network: string, atEnd: boolean, step: number): string {
  const [base = '', bits] = network.split('/');
  const first = base.split('.').reduce((value, octet) => value * 256 + Number(octet), 0);
  const edge = (first + (atEnd ? 2 ** (32 - Number(bits)) - 1 : 0) + step + 2 ** 32) % 2 ** 32;
  return [24, 16, 8, 0].map((shift) => Math.floor(edge / 2 ** shift) % 256).join('.');
}

test('an IPv6 address is public exactly if the reference rule lets it pass', (t) => {
  const { ipv6AllowOnly, ipv6DenyInside } = destinationCases().referenceRule;
  const allowed = blockList([ipv6AllowOnly]);
  const denied = blockList(ipv6DenyInside);
  const prefix = fc.constantFrom(
    '2001:',
    '2001:0:',
    '2001:2:0:',
    '2001:10:',
    '2001:2f:',
    '2001:db8:',
    '2002:',
    '3fff:',
    '3fff:0fff:',
    '3fff:1000:',
    '2620:4f:8000:',
    '2600:',
    '1fff:',
    '4000:',
    '64:ff9b:',
  );
  const addresses = fc.oneof(
    fc.ipV6(),
    fc
      .tuple(prefix, fc.integer({ min: 0, max: 0xffff }))
      .map(([head, tail]) => `${head}:${tail.toString(16)}`),
  );
  fc.assert(
    fc.property(addresses, (address) => {
      const lets = allowed.check(address, 'ipv6') && !denied.check(address, 'ipv6');
      t.is(classifyAddress(address) === 'public', lets && !refusedBesides.check(address, 'ipv6'), address);
    }),
    { numRuns: 3000 },
  );
});

test('no text makes the classification throw or passes as public without being an address', (t) => {
  const junk = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[0-9a-fx:.%[\]]{0,45}$/));
  fc.assert(
    fc.property(
      junk,
      (text) =>
        classifyAddress(text) !== 'public' ||
        parseUrl(`https://${text.includes(':') ? `[${text}]` : text}`) !== undefined,
    ),
    { numRuns: 3000 },
  );
  t.pass();
});
