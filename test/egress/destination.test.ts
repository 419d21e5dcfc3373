import test from 'ava';
import fc from 'fast-check';
import { maxUriLength, parseDestination } from '#relay/egress/destination.js';
import { destinationCases } from '../helpers/destination_cases.js';
import { destination } from '../helpers/egress.js';

test('a uri that parsers could read differently is invalid, and no other', (t) => {
  const firm = destinationCases().urls.filter(({ verdict }) => verdict !== 'either');
  t.true(firm.length > 150);
  for (const { id, url, verdict, why } of firm) {
    t.is(parseDestination(url).ok, verdict !== 'invalid', `${id}: ${why}`);
  }
});

test('a host that ends in a dot is invalid however the dot is spelled or hidden', (t) => {
  const endings = [
    '.',
    '.:443',
    '.:',
    '%2e',
    '%2E',
    '\u3002',
    '\uff0e',
    '\uff61',
    '%E3%80%82',
    '%ef%bc%8e',
    '.\u00ad',
    '.\u200b',
    '.%C2%AD',
    '%2e%E2%80%8B',
    '..',
  ];
  for (const host of ['good.example', '93.184.216.34']) {
    for (const ending of endings) {
      const parsed = parseDestination(`https://${host}${ending}/`);
      t.false(parsed.ok, `${host} followed by ${JSON.stringify(ending)}`);
    }
  }
});

test('a dot that is not at the end of the host does no harm', (t) => {
  t.is(destination('https://a.example/path.').host, 'a.example');
  t.is(destination('https://a.example/?q=.').host, 'a.example');
  t.is(destination('https://a%2eexample/').host, 'a.example');
  t.is(destination('https://[2001:4860::8888]/.').host, '2001:4860::8888');
});

test('white space, control characters and backslashes are invalid anywhere', (t) => {
  const characters = ['\t', '\n', '\r', '\0', ' ', '\u0085', '\u00a0', '\u2028', '\ufeff', '\u007f', '\\'];
  for (const character of characters) {
    for (const uri of [
      '?https://a.example/',
      'https://a?.example/',
      'https://a.example/x?y',
      'https://a/?',
    ]) {
      t.false(parseDestination(uri.replace('?', character)).ok, JSON.stringify(uri.replace('?', character)));
    }
  }
});

test('user information, even empty, and fragments, even empty, are invalid', (t) => {
  for (const uri of [
    'https://@a/',
    'https://:@a/',
    'https://u@a/',
    'https:@a/',
    'https://a/#',
    'https://a#x',
  ]) {
    t.false(parseDestination(uri).ok, uri);
  }
  t.true(parseDestination('https://a/@b?c@d').ok);
});

test('a destination is normalised once, and its parts agree with each other', (t) => {
  t.deepEqual(destination('HTTPS://Good.EXAMPLE:443/a/../b%7e/?Q=%41'), {
    text: 'HTTPS://Good.EXAMPLE:443/a/../b%7e/?Q=%41',
    href: 'https://good.example/b%7e/?Q=%41',
    origin: 'https://good.example',
    protocol: 'https:',
    host: 'good.example',
    address: undefined,
    port: 443,
    path: '/b%7e/?Q=%41',
  });
  t.like(destination('http://0x7f.1'), { address: '127.0.0.1', port: 80, path: '/' });
  t.like(destination('https://[::FFFF:1.2.3.4]:8443'), { address: '::ffff:102:304', port: 8443 });
  t.is(destination('https://a.example:0/').port, 0);
});

test('what is requested is what is recorded', (t) => {
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true, validSchemes: ['https', 'http'] }), (uri) => {
      const parsed = parseDestination(uri);
      return !parsed.ok || parsed.destination.origin + parsed.destination.path === parsed.destination.href;
    }),
  );
  t.is(destination('https://a.example/x?').path, '/x?');
});

test('any text either parses to a fixed point or is invalid', (t) => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }).map((tail) => `https://${tail}`),
    fc.webUrl(),
  );
  fc.assert(
    fc.property(texts, (uri) => {
      const parsed = parseDestination(uri);
      if (!parsed.ok) return;
      const { href } = parsed.destination;
      t.deepEqual(destination(href), { ...parsed.destination, text: href }, uri);
    }),
  );
  t.pass();
});

test('a uri is at most as long as servers accept', (t) => {
  const prefix = 'https://a.example/';
  t.true(parseDestination(prefix.padEnd(maxUriLength, 'x')).ok);
  t.false(parseDestination(prefix.padEnd(maxUriLength + 1, 'x')).ok);
});

test('a uri may not grow beyond the limit once its characters are encoded', (t) => {
  const prefix = 'https://receiver.example/';
  const fitting = Math.floor((maxUriLength - prefix.length) / 9);
  t.true(parseDestination(prefix + '\u3042'.repeat(fitting)).ok);
  t.false(parseDestination(prefix + '\u3042'.repeat(fitting + 1)).ok);
});

test('a name with umlauts parses after any number of other uris', (t) => {
  // `URL.canParse` of Node 20 and 22 misreads such names once it is called often enough to be optimised.
  for (let number = 0; number < 20_000; number += 1) parseDestination(`https://a.example/${number}`);
  t.is(destination('https://m\u00fcnchen.example/').host, 'xn--mnchen-3ya.example');
});
