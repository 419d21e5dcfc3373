import test from 'ava';
import { parseArbiterEndpoint } from '#relay/arbiter/endpoint.js';

test('both kinds of endpoint are read', (t) => {
  const endpoints = [
    ['tcp://arbiter:4444', { protocol: 'zest', address: 'tcp://arbiter:4444', ipv6: false }],
    ['tcp://arbiter', { protocol: 'zest', address: 'tcp://arbiter:4444', ipv6: false }],
    ['tcp://10.0.0.2:1/', { protocol: 'zest', address: 'tcp://10.0.0.2:1', ipv6: false }],
    ['tcp://[fd00::2]:4444', { protocol: 'zest', address: 'tcp://[fd00::2]:4444', ipv6: true }],
    ['https://arbiter:8080', { protocol: 'http', address: 'https://arbiter:8080', tls: true }],
    ['http://127.0.0.1:8080/', { protocol: 'http', address: 'http://127.0.0.1:8080', tls: false }],
    ['HTTPS://Arbiter/box//', { protocol: 'http', address: 'https://arbiter/box', tls: true }],
  ] as const;
  for (const [text, endpoint] of endpoints)
    t.deepEqual(parseArbiterEndpoint(text), { ok: true, endpoint }, text);
});

test('anything else is refused with what is expected', (t) => {
  const endpoints = [
    ['', /tcp:\/\/host:4444 or http/],
    ['arbiter', /tcp:\/\/host:4444 or http/],
    ['arbiter:4444', /tcp:\/\/host:4444 or http/],
    ['ftp://arbiter', /tcp:\/\/host:4444 or http/],
    ['tcp://', /tcp:\/\/host:port/],
    ['tcp://*:4444', /tcp:\/\/host:port/],
    ['tcp://eth0;arbiter:4444', /tcp:\/\/host:port/],
    ['tcp://arbiter:4444/path', /tcp:\/\/host:port/],
    ['tcp://arbiter:four', /tcp:\/\/host:port/],
    ['tcp://fd00::2:4444', /tcp:\/\/host:port/],
    ['tcp://[fd00::2::]:4444', /IPv6/],
    ['tcp://arbiter:0', /port/],
    ['tcp://arbiter:65536', /port/],
    ['https://me:key@arbiter', /user information/],
    ['https://arbiter/?key=1', /query/],
    ['https://arbiter/#key', /fragment/],
  ] as const;
  for (const [text, reason] of endpoints) {
    const parsed = parseArbiterEndpoint(text);
    if (parsed.ok) return t.fail(text);
    t.regex(parsed.reason, reason, text);
  }
});
