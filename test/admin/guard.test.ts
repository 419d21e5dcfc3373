import test from 'ava';
import { isFromAnotherSite, isTrustedHost } from '#relay/admin/guard.js';

const hosts: readonly (readonly [header: string | undefined, trusted: boolean, why: string])[] = [
  ['127.0.0.1:8081', true, 'a literal address'],
  ['192.168.1.20', true, 'a literal address on the network, default port'],
  ['[::1]:8081', true, 'a literal IPv6 address'],
  ['[fd00::1]', true, 'a literal IPv6 address, default port'],
  ['localhost:8081', true, 'no name server is asked for it'],
  ['LOCALHOST', true, 'case does not matter'],
  ['box.local:8081', true, 'the host of the setting'],
  ['Box.Local', true, 'the host of the setting, in another case'],
  [undefined, true, 'HTTP/1.0 without the header: no browser'],
  ['rebound.example:8081', false, 'a name of someone else'],
  ['127.0.0.1.rebound.example', false, 'a name that begins like an address'],
  ['localhost.rebound.example', false, 'a name that begins like localhost'],
  ['notlocalhost', false, 'a name that ends like localhost'],
  ['box.local.', false, 'a name with a dot behind it is another origin'],
  ['[rebound.example]', false, 'brackets do not make an address'],
  ['127.0.0.1:8081:x', false, 'no host at all'],
  ['', false, 'an empty one'],
];

for (const [header, trusted, why] of hosts) {
  test(`Host ${String(header)} is ${trusted ? 'trusted' : 'refused'}: ${why}`, (t) => {
    t.is(isTrustedHost(header, 'box.local'), trusted);
  });
}

test('what browsers say of who asks decides between the page and other sites', (t) => {
  t.false(isFromAnotherSite({}));
  t.false(isFromAnotherSite({ 'sec-fetch-site': 'same-origin' }));
  t.false(isFromAnotherSite({ 'sec-fetch-site': 'none' }));
  t.true(isFromAnotherSite({ 'sec-fetch-site': 'cross-site' }));
  t.true(isFromAnotherSite({ 'sec-fetch-site': 'same-site' }));
});
