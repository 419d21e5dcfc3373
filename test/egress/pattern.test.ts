import test from 'ava';
import { matchesPattern } from '#relay/egress/pattern.js';
import { destination } from '../helpers/egress.js';

const cases: readonly {
  readonly pattern: string;
  readonly uri: string;
  readonly matches: boolean;
  readonly why: string;
}[] = [
  { pattern: 'https://a/x', uri: 'https://a/x', matches: true, why: 'the same text' },
  { pattern: 'https://A:443/y/../x', uri: 'https://a/x', matches: true, why: 'the same when normalised' },
  { pattern: 'https://a/x', uri: 'HTTPS://A/./x', matches: true, why: 'the same when normalised' },
  { pattern: 'https://a', uri: 'https://a/', matches: true, why: 'the empty path is /' },
  { pattern: 'https://a/x', uri: 'https://a/x/', matches: false, why: 'another path' },
  { pattern: 'https://a/x', uri: 'https://a/x?y', matches: false, why: 'another query' },
  { pattern: 'https://a/x', uri: 'https://a/x?', matches: false, why: 'an empty query is a query' },
  { pattern: 'https://a/x', uri: 'http://a/x', matches: false, why: 'another scheme' },
  { pattern: 'https://a/x', uri: 'https://a:444/x', matches: false, why: 'another port' },
  { pattern: 'https://a/*', uri: 'https://a/', matches: true, why: 'the folder itself is below' },
  { pattern: 'https://a/*', uri: 'https://a/x/y?z', matches: true, why: 'below, with a query' },
  { pattern: 'https://a/*', uri: 'https://a.evil/x', matches: false, why: 'another host' },
  { pattern: 'https://a/*', uri: 'https://a:444/x', matches: false, why: 'another port' },
  { pattern: 'https://a/x/*', uri: 'https://a/x', matches: false, why: 'above the folder' },
  { pattern: 'https://a/x/*', uri: 'https://a/xy', matches: false, why: 'a sibling' },
  { pattern: 'https://a/x/*', uri: 'https://a/x/../y', matches: false, why: 'dot segments leave the folder' },
  { pattern: 'https://a/x/*', uri: 'https://a/x/%2e%2E/y', matches: false, why: 'encoded dot segments' },
  { pattern: 'https://a/x/*', uri: 'https://a/x/..%2fy', matches: false, why: 'an encoded slash' },
  { pattern: 'https://a/x/*', uri: 'https://a/x/..%5Cy', matches: false, why: 'an encoded backslash' },
  { pattern: 'https://a/x/*', uri: 'https://a/x/?y=%2F', matches: false, why: 'anywhere in the uri' },
  { pattern: 'https://a/x%2fy', uri: 'https://a/x%2fy', matches: true, why: 'no wildcard is involved' },
  { pattern: 'https://a/x*', uri: 'https://a/xy', matches: false, why: 'only /* is a wildcard' },
  { pattern: 'https://a/*/y', uri: 'https://a/x/y', matches: false, why: 'only at the end' },
  { pattern: 'https://a/*?q', uri: 'https://a/x?q', matches: false, why: 'not with a query' },
  { pattern: 'https://a/*?', uri: 'https://a/x', matches: false, why: 'not even with an empty one' },
  { pattern: 'https://a/*', uri: 'https://a/*', matches: true, why: 'the same text' },
  { pattern: 'https://*/', uri: 'https://a/', matches: false, why: 'no wildcard hosts' },
  { pattern: '*', uri: 'https://a/', matches: false, why: 'no URL' },
  { pattern: '', uri: 'https://a/', matches: false, why: 'no URL' },
  { pattern: 'https://u@a/*', uri: 'https://a/x', matches: false, why: 'an invalid pattern matches nothing' },
];

for (const { pattern, uri, matches, why } of cases) {
  test(`the pattern "${pattern}" ${matches ? 'covers' : 'does not cover'} ${uri}: ${why}`, (t) => {
    t.is(matchesPattern(pattern, destination(uri)), matches);
  });
}
