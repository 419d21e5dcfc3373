import test from 'ava';
import { reachableListeners } from '#relay/egress/own_listener.js';
import { judgeAddress, judgeDestination, type RefusalRule } from '#relay/egress/policy.js';
import { destinationCases, type UrlCase } from '../helpers/destination_cases.js';
import { destination, policy } from '../helpers/egress.js';

/** What the case's name resolves to in the world, as its category says. */
const answers: Readonly<Record<string, string>> = {
  'local-names': '::1',
  'internal-names': '172.18.0.3',
  'names-to-private': '127.0.0.1',
  'ipv4-spelling': '127.0.0.1',
};

/** A destination's fate: the rule of its URL, else of what a resolver would say, else `allowed`. */
function fate({ url, category }: UrlCase): RefusalRule | 'allowed' {
  const target = destination(url);
  const before = judgeDestination(target, policy(), []);
  if (!before.allowed) return before.rule;
  const answer = answers[category];
  if (target.address !== undefined || answer === undefined) return 'allowed';
  const connecting = judgeAddress(answer, target.port, policy(), []);
  return connecting.allowed ? 'allowed' : connecting.rule;
}

test('by default a destination of the reference cases is allowed or refused as they say', (t) => {
  const rows = destinationCases().urls.filter(
    ({ verdict }) => verdict === 'allowed' || verdict === 'refused',
  );
  t.true(rows.length > 120);
  for (const row of rows) {
    t.is(fate(row) === 'allowed', row.verdict === 'allowed', `${row.id} ${row.url}: ${row.why}`);
  }
});

const beforeQueueing: readonly (readonly [uri: string, rule: RefusalRule])[] = [
  ['http://good.example/', 'http'],
  ['https://127.0.0.1/', 'loopback'],
  ['https://0x7f.1/', 'loopback'],
  ['https://127%2E0.0.1/', 'loopback'],
  ['https://[::ffff:127.0.0.1]/', 'loopback'],
  ['https://0.0.0.0/', 'unspecified'],
  ['https://[::]/', 'unspecified'],
  ['https://10.1.2.3/', 'private'],
  ['https://169.254.169.254/', 'link_local'],
  ['https://168.63.129.16/', 'cloud_host'],
  ['https://[::ffff:8.8.8.8]/', 'embedded_ipv4'],
  ['https://localhost/', 'localhost'],
  ['https://LocalHost:8443/', 'localhost'],
  ['https://a.b.localhost/', 'localhost'],
  ['https://%6cocalhost/', 'localhost'],
];

for (const [uri, rule] of beforeQueueing) {
  test(`${uri} is refused before queueing, as ${rule}`, (t) => {
    t.like(judgeDestination(destination(uri), policy(), []), { allowed: false, rule });
  });
}

test('a name that only looks like localhost is a name like others', (t) => {
  for (const host of ['notlocalhost', 'localhost.example', 'localhost4']) {
    t.true(judgeDestination(destination(`https://${host}/`), policy(), []).allowed, host);
  }
});

test('http: is reached when the operator allows it, and then the other rules still hold', (t) => {
  const allowHttp = policy({ allowHttp: true });
  t.true(judgeDestination(destination('http://good.example/'), allowHttp, []).allowed);
  t.like(judgeDestination(destination('http://10.0.0.1/'), allowHttp, []), { rule: 'private' });
});

test('localhost names are reached when the operator allows either loopback', (t) => {
  for (const network of ['127.0.0.0/8', '127.0.0.1', '::1']) {
    const loopback = policy({ allowNetworks: [network] });
    t.true(judgeDestination(destination('https://x.localhost/'), loopback, []).allowed, network);
  }
  const other = policy({ allowNetworks: ['127.0.0.2', '10.0.0.0/8'] });
  t.like(judgeDestination(destination('https://localhost/'), other, []), { rule: 'localhost' });
});

const networks: readonly {
  readonly allow: string;
  readonly address: string;
  readonly rule: RefusalRule | undefined;
  readonly why: string;
}[] = [
  { allow: '192.168.1.0/24', address: '192.168.1.50', rule: undefined, why: 'it is covered' },
  { allow: '192.168.1.0/24', address: '192.168.2.50', rule: 'private', why: 'it is outside' },
  { allow: '10.0.0.0/8', address: '::ffff:10.0.0.1', rule: undefined, why: 'mapped is the same host' },
  { allow: '10.0.0.0/8', address: '::10.0.0.1', rule: 'embedded_ipv4', why: 'compatible is another host' },
  { allow: '10.0.0.0/8', address: '64:ff9b::a00:1', rule: 'embedded_ipv4', why: 'a translator decides' },
  { allow: '64:ff9b::/96', address: '64:ff9b::808:808', rule: undefined, why: 'a NAT64 network' },
  { allow: '64:ff9b::/96', address: '64:ff9b::a00:1', rule: 'private', why: 'what it carries counts too' },
  { allow: '64:ff9b::/96', address: '64:ff9b::a9fe:a9fe', rule: 'link_local', why: 'what it carries counts' },
  { allow: '::/0', address: '::ffff:127.0.0.1', rule: 'loopback', why: 'IPv4 is not allowed' },
  { allow: '::/0', address: 'fe80::1%eth0', rule: undefined, why: 'it is covered' },
  { allow: '0.0.0.0/0', address: '::1', rule: 'loopback', why: 'IPv6 is not allowed' },
  { allow: '0.0.0.0/8', address: '0.0.0.0', rule: 'loopback', why: 'that is where it leads' },
  { allow: '127.0.0.0/8', address: '0.0.0.0', rule: 'unspecified', why: 'it is not covered' },
  { allow: '0.0.0.0/0', address: '0.0.0.0', rule: undefined, why: 'both are covered' },
  { allow: '0.0.0.0/0', address: 'CNAME arbiter.', rule: 'not_an_address', why: 'it is none' },
];

for (const { allow, address, rule, why } of networks) {
  test(`with ${allow} allowed, ${address} is ${rule ?? 'reached'}: ${why}`, (t) => {
    const verdict = judgeAddress(address, 443, policy({ allowNetworks: [allow] }), []);
    t.is(verdict.allowed ? undefined : verdict.rule, rule);
  });
}

test('with destinations listed, only those are reached, and only if the rest of the policy agrees', (t) => {
  const listed = policy({
    allowDestinations: ['https://a.example/x', 'https://b.example/*', 'https://10.0.0.1/*'],
  });
  const rule = (uri: string) => {
    const verdict = judgeDestination(destination(uri), listed, []);
    return verdict.allowed ? 'allowed' : verdict.rule;
  };
  t.is(rule('https://a.example/x'), 'allowed');
  t.is(rule('https://b.example/y/z'), 'allowed');
  t.is(rule('https://a.example/y'), 'destination_not_listed');
  t.is(rule('https://c.example/'), 'destination_not_listed');
  t.is(rule('https://b.example:444/'), 'destination_not_listed');
  t.is(rule('https://10.0.0.1/'), 'private');
});

test("the relay's own listeners are refused whatever is allowed", (t) => {
  const everything = policy({ allowHttp: true, allowNetworks: ['0.0.0.0/0', '::/0'] });
  const own = reachableListeners(
    [
      { address: '0.0.0.0', port: 8080 },
      { address: '127.0.0.1', port: 8081 },
    ],
    ['127.0.0.1', '93.184.216.34'],
  );
  const rule = (uri: string) => {
    const verdict = judgeDestination(destination(uri), everything, own);
    return verdict.allowed ? 'allowed' : verdict.rule;
  };
  for (const host of [
    '127.0.0.1',
    '127.1',
    '127.9.9.9',
    '0',
    '[::ffff:7f00:1]',
    '93.184.216.34',
    'localhost',
    'x.localhost',
  ]) {
    t.is(rule(`http://${host}:8080/`), 'own_listener', host);
  }
  for (const host of ['127.0.0.1', '0', '[::ffff:127.0.0.1]', 'localhost']) {
    t.is(rule(`http://${host}:8081/`), 'own_listener', host);
  }
  for (const uri of [
    'http://127.0.0.1:8082/',
    'http://127.0.0.2:8081/',
    'http://93.184.216.34:8081/',
    'http://localhost/',
  ]) {
    t.is(rule(uri), 'allowed', uri);
  }
  t.like(judgeAddress('93.184.216.34', 8080, everything, own), { rule: 'own_listener' });
});

test('an app cannot tell on which ports of a refused address the relay listens', (t) => {
  const own = [{ address: '127.0.0.1', port: 8081 }];
  for (const host of ['127.0.0.1', 'localhost', '0.0.0.0']) {
    t.deepEqual(
      judgeDestination(destination(`https://${host}:8081/`), policy(), own),
      judgeDestination(destination(`https://${host}:8082/`), policy(), own),
    );
  }
});

test('a refusal says in one sentence what is refused and which setting would allow it', (t) => {
  const detail = (uri: string, allowDestinations: readonly string[] = []) => {
    const verdict = judgeDestination(destination(uri), policy({ allowDestinations }), []);
    return verdict.allowed ? '' : verdict.detail;
  };
  t.regex(detail('http://good.example/'), /^The destination is an http: URL.*--allow-http\.$/);
  t.regex(detail('https://localhost/'), /localhost name.*--allow-network\.$/);
  t.regex(detail('https://10.0.0.1/'), /^The destination is a private address.*--allow-network\.$/);
  t.regex(detail('https://good.example/', ['https://other.example/']), /--allow-destination\.$/);
});
