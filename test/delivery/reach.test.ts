import test from 'ava';
import { createGuard, type Lookup } from '#relay/delivery/guard.js';
import { createReach, type Reach } from '#relay/delivery/reach.js';
import { policy } from '../helpers/egress.js';
import { settled } from '../helpers/fake_clock.js';
import { stubResolver } from '../helpers/resolver.js';

function reach(
  lookup: Lookup,
  { answerWithinMs = 2000, lookupTimeoutMs = 5000 } = {},
): (host: string, port: number) => Promise<Reach> {
  const guard = createGuard({ policy: policy(), ownListeners: () => [], lookup });
  return createReach({ guard, answerWithinMs, lookupTimeoutMs });
}

test('a name is reachable at all of its addresses, each named once', async (t) => {
  const { lookup } = stubResolver(['203.1.113.7', '2a00::1', '203.1.113.7']);
  t.deepEqual(await reach(lookup)('x.example', 443), {
    kind: 'reachable',
    addresses: ['203.1.113.7', '2a00::1'],
  });
});

test('a literal needs no lookup', async (t) => {
  const { lookup, asked } = stubResolver('never answers');
  const find = reach(lookup);
  void find('hangs.example', 443);
  t.deepEqual(await find('203.1.113.7', 443), { kind: 'reachable', addresses: ['203.1.113.7'] });
  t.deepEqual(await find('10.0.0.1', 443), { kind: 'unreachable', reason: 'private' });
  t.deepEqual(asked, ['hangs.example']);
});

for (const [answer, reason] of [
  [['10.0.0.1'], 'private'],
  [['203.1.113.7', '127.0.0.1'], 'loopback'],
  [{ code: 'ENOTFOUND' }, 'ENOTFOUND'],
  [[], 'ENODATA'],
] as const) {
  test(`${JSON.stringify(answer)} is not reachable, and the log learns that it is for ${reason}`, async (t) => {
    const { lookup } = stubResolver(answer);
    t.deepEqual(await reach(lookup)('x.example', 443), { kind: 'unreachable', reason });
  });
}

test('a lookup that never answers is given up in time', async (t) => {
  const { lookup } = stubResolver('never answers');
  const find = reach(lookup, { answerWithinMs: 50, lookupTimeoutMs: 100 });
  t.deepEqual(await find('hangs.example', 443), { kind: 'unreachable', reason: 'late' });
  const patient = reach(lookup, { answerWithinMs: 5000, lookupTimeoutMs: 20 });
  t.deepEqual(await patient('hangs.example', 443), { kind: 'unreachable', reason: 'late' });
});

test('names are looked up one at a time: one that hangs makes the next wait, and not the resolver work', async (t) => {
  const { lookup, asked } = stubResolver('never answers', ['203.1.113.7']);
  const find = reach(lookup, { answerWithinMs: 50, lookupTimeoutMs: 300 });
  const hanging = find('hangs.example', 443);
  t.deepEqual(await find('next.example', 443), { kind: 'busy' });
  t.deepEqual(await hanging, { kind: 'unreachable', reason: 'late' });
  t.deepEqual(asked, ['hangs.example']);
});

test('whoever has gone is not looked up for any more when the turn comes', async (t) => {
  const guard = createGuard({ policy: policy(), ownListeners: () => [] });
  const asked: string[] = [];
  const ends: (() => void)[] = [];
  const find = createReach({
    guard: {
      ...guard,
      resolve: (host) => {
        asked.push(host);
        return new Promise((resolve) => ends.push(() => resolve({ ok: true, addresses: [] })));
      },
    },
    answerWithinMs: 20,
    lookupTimeoutMs: 1000,
  });
  const gone = [find('hangs.example', 443), find('gone.example', 443)];
  t.deepEqual(await Promise.all(gone), [{ kind: 'unreachable', reason: 'late' }, { kind: 'busy' }]);
  const next = find('next.example', 443);
  ends.shift()?.();
  await settled();
  t.deepEqual(asked, ['hangs.example', 'next.example']);
  ends.shift()?.();
  t.deepEqual(await next, { kind: 'reachable', addresses: [] });
});

test('names that resolve follow one another', async (t) => {
  const { lookup, asked } = stubResolver(['203.1.113.7']);
  const find = reach(lookup);
  const names = Array.from({ length: 20 }, (_, index) => `${index}.example`);
  const found = await Promise.all(names.map((name) => find(name, 443)));
  t.true(found.every(({ kind }) => kind === 'reachable'));
  t.deepEqual(asked, names);
});

test('beyond a thousand that wait, the next is turned away at once', async (t) => {
  const { lookup, asked } = stubResolver('never answers');
  const find = reach(lookup, { answerWithinMs: 500, lookupTimeoutMs: 600 });
  const waiting = Array.from({ length: 1001 }, (_, index) => find(`${index}.example`, 443));
  let early = true;
  void Promise.race(waiting).then(() => (early = false));
  t.deepEqual(await find('one.more.example', 443), { kind: 'busy' });
  t.true(early);
  await Promise.all(waiting);
  t.deepEqual(asked, ['0.example']);
});

test('a bug on the way reaches whoever asked, and the next is served', async (t) => {
  const guard = createGuard({
    policy: policy(),
    ownListeners: () => [],
    lookup: stubResolver(['203.1.113.7']).lookup,
  });
  let broken = true;
  const find = createReach({
    guard: {
      ...guard,
      resolve: (...target) => (broken ? Promise.reject(new Error('bug')) : guard.resolve(...target)),
    },
    answerWithinMs: 2000,
    lookupTimeoutMs: 2000,
  });
  await t.throwsAsync(find('x.example', 443), { message: 'bug' });
  broken = false;
  t.like(await find('x.example', 443), { kind: 'reachable' });
});
