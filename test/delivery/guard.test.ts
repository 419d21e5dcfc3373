import test from 'ava';
import { createGuard, type Resolution } from '#relay/delivery/guard.js';
import { reachableListeners } from '#relay/egress/own_listener.js';
import { type DnsCase, destinationCases } from '../helpers/destination_cases.js';
import { policy } from '../helpers/egress.js';
import { type Answer, stubResolver } from '../helpers/resolver.js';

// The deadlines of lookups do not keep a process, and nothing else runs here.
const alive = setInterval(() => undefined, 1000);
test.after.always(() => clearInterval(alive));

const ownAddress = '93.184.216.34';
const timeoutMs = 30;

/** What each lookup of a case must come to; after the last, nothing is asked. */
const expected: Readonly<Record<string, readonly Outcome[]>> = {
  'allow': ['resolved'],
  'block': ['refused_address'],
  'block-second': ['resolved', 'refused_address'],
  'block-third': ['resolved', 'resolved', 'refused_address'],
  'fail-retryable': ['dns'],
  'fail-timeout': ['timeout'],
  'allow-if-operator-lists': ['resolved'],
};

type Outcome = 'resolved' | 'refused_address' | 'dns' | 'timeout' | 'connect' | 'tls';

function outcome(resolution: Resolution): Outcome {
  return resolution.ok ? 'resolved' : resolution.error.failure.reason;
}

function answersOf({ answers }: DnsCase): readonly Answer[] {
  return answers.map((answer) => {
    if (answer === 'never answers') return answer;
    if (typeof answer === 'string') return { code: answer };
    if (answer.length === 0) return { code: 'ENOTFOUND' };
    return answer.map((address) => address.replace('<own public address>:listen port', ownAddress));
  });
}

for (const row of destinationCases().dns) {
  test(`${row.name} comes to "${row.verdict}": ${row.why}`, async (t) => {
    const { lookup, asked } = stubResolver(...answersOf(row));
    const ifListed = row.verdict === 'allow-if-operator-lists';
    const guardWith = (allowNetworks: readonly string[]) =>
      createGuard({
        policy: policy({ allowNetworks }),
        ownListeners: () => reachableListeners([{ address: '0.0.0.0', port: 8080 }], [ownAddress]),
        lookup,
      });
    const port = row.name === 'self.test' ? 8080 : 443;
    const guard = guardWith(ifListed ? ['192.168.1.0/24'] : []);
    const outcomes = expected[row.verdict] ?? [];
    t.not(outcomes.length, 0);
    for (const wanted of outcomes) t.is(outcome(await guard.resolve(row.name, port, timeoutMs)), wanted);
    t.is(asked.length, outcomes.length, 'every connection is vetted by a lookup of its own');
    if (ifListed) t.is(outcome(await guardWith([]).resolve(row.name, port, timeoutMs)), 'refused_address');
  });
}

const publicAnswer = ['93.184.216.34', '2606:4700:4700::1111'];

test('the addresses of a name are given as the resolver ordered them', async (t) => {
  const { lookup } = stubResolver(publicAnswer);
  const guard = createGuard({ policy: policy(), ownListeners: () => [], lookup });
  t.deepEqual(await guard.resolve('good.test', 443, timeoutMs), {
    ok: true,
    addresses: [
      { address: '93.184.216.34', family: 4 },
      { address: '2606:4700:4700::1111', family: 6 },
    ],
  });
});

test('a literal is judged without asking a resolver', async (t) => {
  const { lookup, asked } = stubResolver(publicAnswer);
  const guard = createGuard({ policy: policy(), ownListeners: () => [], lookup });
  t.is(outcome(await guard.resolve('8.8.8.8', 443, timeoutMs)), 'resolved');
  for (const literal of ['127.0.0.1', '::1', '::ffff:10.0.0.1']) {
    const resolution = await guard.resolve(literal, 443, timeoutMs);
    if (resolution.ok) {
      t.fail(literal);
      continue;
    }
    t.like(resolution.error.failure, { reason: 'refused_address', host: 'literal', address: literal });
    t.is(resolution.error.message, `${literal} is not an address that exports may reach`);
  }
  t.is(asked.length, 0);
});

test('to the app, a name that resolves to refused addresses and one that does not resolve look alike', async (t) => {
  const answers: readonly Answer[] = [
    ['127.0.0.1'],
    ['93.184.216.34', '10.0.0.1'],
    { code: 'ENOTFOUND' },
    { code: 'EAI_AGAIN' },
    [],
  ];
  const { lookup } = stubResolver(...answers);
  const guard = createGuard({ policy: policy(), ownListeners: () => [], lookup });
  const rules: string[] = [];
  for (const answer of answers) {
    const resolution = await guard.resolve('name.test', 443, timeoutMs);
    if (resolution.ok) {
      t.fail(JSON.stringify(answer));
      continue;
    }
    const { message, failure } = resolution.error;
    t.is(message, 'name.test does not resolve to an address that exports may reach');
    rules.push(failure.reason === 'refused_address' ? failure.rule : failure.reason);
  }
  t.deepEqual(rules, ['loopback', 'private', 'dns', 'dns', 'dns'], 'the log knows the difference');
});

test('exports to one name share its lookup while it is under way, and not its verdict', async (t) => {
  const { lookup, asked } = stubResolver(publicAnswer);
  const guard = createGuard({
    policy: policy(),
    ownListeners: () => [{ address: '93.184.216.34', port: 8443 }],
    lookup,
  });
  const together = await Promise.all(
    [443, 443, 8443].map((port) => guard.resolve('good.test', port, timeoutMs)),
  );
  t.deepEqual(together.map(outcome), ['resolved', 'resolved', 'refused_address']);
  t.deepEqual(asked, ['good.test']);
  await guard.resolve('good.test', 443, timeoutMs);
  await guard.resolve('other.test', 443, timeoutMs);
  t.deepEqual(asked, ['good.test', 'good.test', 'other.test']);
});

test('a name whose servers never answer occupies the resolver once, however often it is tried', async (t) => {
  const { lookup, asked } = stubResolver('never answers');
  const guard = createGuard({ policy: policy(), ownListeners: () => [], lookup });
  for (let round = 0; round < 3; round += 1) {
    t.is(outcome(await guard.resolve('slow.test', 443, 5)), 'timeout');
  }
  t.deepEqual(asked, ['slow.test']);
});

test('a lookup that fails is tried anew the next time', async (t) => {
  const { lookup } = stubResolver({ code: 'EAI_AGAIN' }, publicAnswer);
  const guard = createGuard({ policy: policy(), ownListeners: () => [], lookup });
  t.is(outcome(await guard.resolve('good.test', 443, timeoutMs)), 'dns');
  t.is(outcome(await guard.resolve('good.test', 443, timeoutMs)), 'resolved');
});

test("the system's resolver answers for localhost", async (t) => {
  const guard = createGuard({ policy: policy(), ownListeners: () => [] });
  const resolution = await guard.resolve('localhost', 443, 5000);
  if (resolution.ok) t.fail();
  else t.like(resolution.error.failure, { reason: 'refused_address', rule: 'loopback', host: 'name' });
});

test('a name that is not resolved in time has failed during that, and no more than 32 are looked up at once', async (t) => {
  const { lookup, asked } = stubResolver('never answers');
  const guard = createGuard({ policy: policy(), ownListeners: () => [], lookup });
  const names = Array.from({ length: 33 }, (_none, index) => `${index}.example`);
  const resolutions = await Promise.all(names.map((name) => guard.resolve(name, 443, timeoutMs)));
  t.deepEqual(asked, names.slice(0, 32));
  for (const resolution of resolutions) {
    t.like(resolution, { ok: false, error: { failure: { reason: 'timeout', during: 'dns' } } });
  }
});
