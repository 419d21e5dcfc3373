import test from 'ava';
import fc from 'fast-check';
import { covers, parseAddress, parseNetwork } from '#relay/egress/network.js';
import { network } from '../helpers/egress.js';

test('a network is a CIDR range, or one address', (t) => {
  t.like(parseNetwork('10.0.0.0/8'), { text: '10.0.0.0/8', bits: 8 });
  t.like(parseNetwork('192.168.1.50'), { bits: 32 });
  t.like(parseNetwork('fd00::/8'), { bits: 8 });
  t.like(parseNetwork('::1'), { bits: 128 });
  t.like(parseNetwork('0.0.0.0/0'), { bits: 0 });
});

test('what could mean two networks, or none, is not a network', (t) => {
  const texts = [
    '',
    '/',
    '/8',
    'all',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    ' 10.0.0.0/8',
    '10.0.0.0/255.0.0.0',
    '10.0.0/8',
    '10/8',
    '010.0.0.0/8',
    '0x0a000000/8',
    '10.1.2.3/8',
    '10.0.0.1/31',
    '::1/0',
    'fd00::1/8',
    '::/129',
    'fe80::1%eth0',
    '[::1]',
    'localhost',
  ];
  for (const text of texts) t.is(parseNetwork(text), undefined, text);
});

test('a network covers the addresses between its ends and no others', (t) => {
  const rows: readonly [network: string, inside: readonly string[], outside: readonly string[]][] = [
    ['10.0.0.0/8', ['10.0.0.0', '10.255.255.255'], ['9.255.255.255', '11.0.0.0', '::10.0.0.1', '::']],
    ['192.168.1.50', ['192.168.1.50', '::ffff:192.168.1.50'], ['192.168.1.51', '::ffff:192.168.1.51']],
    ['172.16.0.0/12', ['172.16.0.0', '172.31.255.255', '::ffff:ac1f:ffff'], ['172.15.0.0', '172.32.0.0']],
    ['fd00::/8', ['fd00::', 'fdff:ffff::1'], ['fc00::1', 'fe00::', '253.0.0.0']],
    ['2001:db8:0:8000::/49', ['2001:db8:0:8000::1'], ['2001:db8:0:7fff::1', '2001:db8:1:8000::']],
    ['fe80::/10', ['fe80::1%eth0', 'febf::%wlan0.1'], ['fec0::']],
    ['0.0.0.0/0', ['1.2.3.4', '::ffff:1.2.3.4'], ['::1', '2000::']],
    ['::/0', ['::1', '::ffff:1.2.3.4'], ['1.2.3.4']],
  ];
  for (const [range, inside, outside] of rows) {
    const isCovered = (text: string) => {
      const address = parseAddress(text);
      return address !== undefined && covers(network(range), address);
    };
    for (const text of inside) t.true(isCovered(text), `${range} covers ${text}`);
    for (const text of outside) t.false(isCovered(text), `${range} does not cover ${text}`);
  }
});

test('an address has one meaning however it is written', (t) => {
  const written = (text: string) => parseAddress(text)?.toString();
  t.is(written('::1.2.3.4'), '::102:304');
  t.is(written('::ffff:1.2.3.4'), '::ffff:102:304');
  t.is(written('64:ff9b::1.2.3.4%eth0'), '64:ff9b::102:304');
  t.is(written('0:0:0:0:0:0:0:0'), '::');
  for (const text of [
    '',
    '1.2.3',
    '01.2.3.4',
    '0x1.2.3.4',
    '1.2.3.4%x',
    '::1%',
    '[::1]',
    '1.2.3.4\n',
    'CNAME x.',
  ]) {
    t.is(parseAddress(text), undefined, text);
  }
});

test('addresses parse as the URL parser reads them', (t) => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      t.is(
        parseAddress(text)?.toString(),
        parseAddress(new URL(`https://[${text}]`).hostname.slice(1, -1))?.toString(),
      );
    }),
  );
  fc.assert(
    fc.property(fc.ipV4(), (text) => {
      t.is(parseAddress(text)?.toString(), text);
    }),
  );
});

test('a network covers each address made of its prefix', (t) => {
  const byte = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(fc.tuple(byte, byte, byte, byte), fc.integer({ min: 0, max: 32 }), (octets, bits) => {
      const [a, b, c, d] = octets;
      const base = (((a * 256 + b) * 256 + c) * 256 + d) & (bits === 0 ? 0 : -1 << (32 - bits));
      const prefix = [base >>> 24, (base >>> 16) & 255, (base >>> 8) & 255, base & 255].join('.');
      const address = parseAddress(octets.join('.'));
      t.true(address !== undefined && covers(network(`${prefix}/${bits}`), address), `${prefix}/${bits}`);
    }),
  );
});
