import test from 'ava';
import type { Unit } from '#relay/config/units.js';
import { destinationPattern, host, name, secret } from '#relay/config/words.js';

interface Table {
  readonly unit: Unit<string>;
  /** What is read, as a map from what is written. */
  readonly good: Readonly<Record<string, string>>;
  /** What is refused, and why. */
  readonly bad: Readonly<Record<string, string>>;
}

const tables: Readonly<Record<string, Table>> = {
  'a name': {
    unit: name,
    good: { 'export-service': 'export-service', ' export ': 'export', 'köln': 'köln' },
    bad: {
      '': 'empty',
      'a b': 'white space',
      'a\u0000': 'a control character',
      ['n'.repeat(256)]: 'long',
    },
  },
  'a secret': {
    unit: secret,
    good: { 's': 's', 'two words': 'two words', '=,;': '=,;', 'a\nb': 'a\nb' },
    bad: { '': 'empty', ' s': 'white space before', 's\n': 'the line feed of a file' },
  },
  'a host': {
    unit: host,
    good: {
      '0.0.0.0': '0.0.0.0',
      '::': '::',
      '[::1]': '::1',
      'localhost': 'localhost',
      'relay_1.box.local': 'relay_1.box.local',
    },
    bad: {
      '': 'empty',
      '*': 'no address',
      '127.0.0.1:80': 'a port',
      '[127.0.0.1]': 'brackets round IPv4',
      '127.0.0.256': 'a mistyped address',
      'http://localhost': 'a URL',
      'a..b': 'an empty label',
      '-a': 'a leading hyphen',
      '0x7f000001': 'a number',
    },
  },
  'a destination': {
    unit: destinationPattern,
    good: {
      'https://a.example/in': 'https://a.example/in',
      'https://a.example/*': 'https://a.example/*',
      'http://10.0.0.1:8080/x?y=1': 'http://10.0.0.1:8080/x?y=1',
    },
    bad: {
      '': 'empty',
      'a.example': 'no scheme',
      'ftp://a.example/': 'another scheme',
      'https://u:p@a.example/': 'user information',
      'https://a.example/#x': 'a fragment',
      'https://a.example./': 'a trailing dot',
      'https://*.example/': 'a wildcard in the host, which nothing would match',
    },
  },
};

for (const [what, { unit, good, bad }] of Object.entries(tables)) {
  for (const [text, value] of Object.entries(good)) {
    test(`${what} ${JSON.stringify(text)} is read, and reads the same when printed`, (t) => {
      t.deepEqual(unit.parse(text), { ok: true, value });
      t.deepEqual(unit.parse(unit.format(value)), { ok: true, value });
    });
  }
  for (const [text, why] of Object.entries(bad)) {
    test(`${what} ${JSON.stringify(text).slice(0, 40)} is refused: ${why}`, (t) => {
      const parsed = unit.parse(text);
      t.false(parsed.ok);
      t.true(!parsed.ok && parsed.expected.startsWith(unit.expected));
    });
  }
}

test('a refused destination says what is wrong with it', (t) => {
  const parsed = destinationPattern.parse('https://a.example/#x');
  t.regex(parsed.ok ? '' : parsed.expected, /has a fragment/);
});
