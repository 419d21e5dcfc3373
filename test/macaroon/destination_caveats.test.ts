import test from 'ava';
import { checkDestination } from '#relay/macaroon/caveats.js';
import { destination } from '../helpers/macaroon_facts.js';
import { verified } from '../helpers/macaroons.js';

interface Row {
  readonly caveat: string;
  readonly uri: string;
  readonly why: string;
}

const covered: readonly Row[] = [
  { caveat: 'https://example.com/in', uri: 'https://example.com/in', why: 'the text is the same' },
  { caveat: 'https://EXAMPLE.com:443/in', uri: 'https://EXAMPLE.com:443/in', why: 'the text is the same' },
  { caveat: 'https://example.com/in?a=1', uri: 'https://example.com/in?a=1', why: 'the text is the same' },
  { caveat: 'https://example.com/a%2fb', uri: 'https://example.com/a%2fb', why: 'the text is the same' },
  { caveat: 'https://example.com', uri: 'https://example.com/', why: 'a path is at least a slash' },
  { caveat: 'https://Example.COM/in', uri: 'https://example.com/in', why: 'a host has no case' },
  { caveat: 'https://example.com:443/in', uri: 'https://example.com/in', why: '443 is the default' },
  { caveat: 'https://example.com/a/../in', uri: 'https://example.com/in', why: 'dot segments vanish' },
  { caveat: 'https://example.com/~in', uri: 'https://example.com/~in', why: 'the text is the same' },
  { caveat: 'https://example.com/ü', uri: 'https://example.com/%C3%BC', why: 'the spelling is normalised' },
  {
    caveat: 'https://bücher.example/',
    uri: 'https://xn--bcher-kva.example/',
    why: 'names have two spellings',
  },
  { caveat: 'https://0x7f.1/in', uri: 'https://127.0.0.1/in', why: 'addresses have many spellings' },
  { caveat: 'https://example.com/*', uri: 'https://example.com/', why: 'it lies below /' },
  { caveat: 'https://example.com/*', uri: 'https://example.com', why: 'it lies below /' },
  { caveat: 'https://example.com/*', uri: 'https://example.com/a/b?c=d', why: 'it lies below /' },
  { caveat: 'https://example.com/in/*', uri: 'https://example.com/in/', why: 'it is the folder itself' },
  { caveat: 'https://example.com/in/*', uri: 'https://example.com/in/a', why: 'it lies below' },
  { caveat: 'https://example.com/in/*', uri: 'https://example.com/in/a/b', why: 'it lies below' },
  { caveat: 'https://example.com/in/*', uri: 'https://EXAMPLE.com:443/in/a?b=/c', why: 'it lies below' },
  { caveat: 'https://example.com/in/*', uri: 'https://example.com/x/../in/a', why: 'it ends below' },
  { caveat: 'https://example.com/in/*', uri: 'https://example.com/in/*', why: 'the text is the same' },
  {
    caveat: 'http://example.com:8080/in/*',
    uri: 'http://example.com:8080/in/a',
    why: 'the origin is the same',
  },
];

for (const { caveat, uri, why } of covered) {
  test(`destination = ${caveat} covers ${uri}: ${why}`, (t) => {
    t.deepEqual(checkDestination(verified(`destination = ${caveat}`), destination(uri)), { satisfied: true });
  });
}

const refused: readonly Row[] = [
  { caveat: 'https://example.com/in', uri: 'https://example.com/in/', why: 'a slash counts' },
  { caveat: 'https://example.com/in', uri: 'https://example.com/IN', why: 'a path has case' },
  { caveat: 'https://example.com/in', uri: 'https://example.com/in?a', why: 'a query counts' },
  { caveat: 'https://example.com/in', uri: 'https://example.com/in?', why: 'an empty query counts' },
  { caveat: 'https://example.com/in', uri: 'http://example.com/in', why: 'the scheme is another' },
  { caveat: 'https://example.com/in', uri: 'https://example.com:8443/in', why: 'the port is another' },
  { caveat: 'https://example.com/in', uri: 'https://example.org/in', why: 'the host is another' },
  { caveat: 'example.com', uri: 'https://example.com/', why: 'a host alone is no URL' },
  { caveat: '*', uri: 'https://example.com/', why: 'a star alone is no URL' },
  { caveat: 'https://*', uri: 'https://example.com/', why: 'a host has no wildcard' },
  { caveat: 'https://*.example.com/in', uri: 'https://a.example.com/in', why: 'a host has no wildcard' },
  { caveat: 'https://example.com*', uri: 'https://example.com.evil.example/', why: 'a host has no wildcard' },
  { caveat: 'https://example.com/in*', uri: 'https://example.com/inside', why: 'a wildcard follows a slash' },
  {
    caveat: 'https://example.com/*/in',
    uri: 'https://example.com/a/in',
    why: 'a wildcard stands at the end',
  },
  { caveat: 'https://example.com/*', uri: 'https://example.com.evil.example/', why: 'the host is another' },
  { caveat: 'https://example.com/*', uri: 'https://evil.example/example.com/', why: 'the host is another' },
  { caveat: 'https://example.com/*', uri: 'https://a.example.com/', why: 'a subdomain is another host' },
  { caveat: 'https://example.com/*', uri: 'http://example.com/a', why: 'the scheme is another' },
  { caveat: 'https://example.com/*', uri: 'https://example.com:444/a', why: 'the port is another' },
  { caveat: 'https://example.com/in/*', uri: 'https://example.com/in', why: 'it lies above' },
  {
    caveat: 'https://example.com/in/*',
    uri: 'https://example.com/in?/a',
    why: 'a slash in the query is none',
  },
  { caveat: 'https://example.com/in/*', uri: 'https://example.com/inside/a', why: 'it lies beside' },
  { caveat: 'https://example.com/in/*', uri: 'https://example.com/IN/a', why: 'a path has case' },
  { caveat: 'https://example.com/in/*', uri: 'https://example.com//in/a', why: 'a slash counts' },
  { caveat: 'https://example.com/in/*', uri: 'https://example.com/in/../out', why: 'dot segments leave' },
  { caveat: 'https://example.com/in/*', uri: 'https://example.com/in/%2e%2e/out', why: 'encoded ones too' },
  {
    caveat: 'https://example.com/in/*',
    uri: 'https://example.com/in/.%2E/out',
    why: 'half encoded ones too',
  },
  {
    caveat: 'https://example.com/in/*',
    uri: 'https://example.com/in/..%2fout',
    why: 'a server may decode it',
  },
  { caveat: 'https://example.com/in/*', uri: 'https://example.com/in/..%2Fout', why: 'in either case' },
  { caveat: 'https://example.com/in/*', uri: 'https://example.com/in/..%5cout', why: 'a backslash alike' },
  { caveat: 'https://example.com/in/*', uri: 'https://example.com/in/..%5Cout', why: 'in either case' },
  { caveat: 'https://example.com/in/*', uri: 'https://example.com/in/a?b=%2f', why: 'in the query as well' },
  {
    caveat: 'https://example.com/in/*?a=1',
    uri: 'https://example.com/in/b?a=1',
    why: 'a wildcard has no query',
  },
  {
    caveat: 'https://example.com/in?a=/*',
    uri: 'https://example.com/in?a=/b',
    why: 'a query has no wildcard',
  },
  { caveat: 'https://example.com/in/*?', uri: 'https://example.com/in/b', why: 'an empty query is one' },
  { caveat: 'https://example.com/in/*#', uri: 'https://example.com/in/b', why: 'a fragment is not allowed' },
  {
    caveat: 'https://user@example.com/*',
    uri: 'https://example.com/in',
    why: 'user information is not allowed',
  },
  { caveat: 'https://example.com./*', uri: 'https://example.com/in', why: 'a trailing dot is not allowed' },
  { caveat: 'https://example.com\\*', uri: 'https://example.com/in', why: 'a backslash is not allowed' },
  { caveat: 'ftp://example.com/*', uri: 'https://example.com/in', why: 'it is another scheme' },
];

const encodedSlash = ', and a /* never covers an encoded / or \\';

for (const { caveat, uri, why } of refused) {
  test(`destination = ${caveat} refuses ${uri}: ${why}`, (t) => {
    t.deepEqual(checkDestination(verified(`destination = ${caveat}`), destination(uri)), {
      satisfied: false,
      caveat: `destination = ${caveat}`,
      reason: `the destination is "${uri}"${/%2f|%5c/i.test(uri) ? encodedSlash : ''}`,
    });
  });
}

test('a wildcard that an encoded slash keeps from matching says so', (t) => {
  const uri = 'https://example.com/in/x?back=%2Fhome';
  for (const [caveat, why] of [
    ['https://example.com/in/*', encodedSlash],
    ['https://example.com/in/x', ''],
  ] as const) {
    t.like(checkDestination(verified(`destination = ${caveat}`), destination(uri)), {
      satisfied: false,
      reason: `the destination is "${uri}"${why}`,
    });
  }
});
