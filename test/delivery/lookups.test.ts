import test from 'ava';
import type { Lookup, ResolvedAddress } from '#relay/delivery/guard.js';
import { Lookups } from '#relay/delivery/lookups.js';
import { settled } from '../helpers/fake_clock.js';

// The deadlines of lookups do not keep a process, and nothing else runs here.
const alive = setInterval(() => undefined, 1000);
test.after.always(() => clearInterval(alive));

const address: ResolvedAddress = { address: '93.184.216.34', family: 4 };

/** A resolver that answers when the test says so. */
function heldResolver(): { lookup: Lookup; asked: string[]; answer: (hostname: string) => Promise<void> } {
  const asked: string[] = [];
  const held = new Map<string, () => void>();
  const lookup: Lookup = (hostname) => {
    asked.push(hostname);
    return new Promise((resolve) => held.set(hostname, () => resolve([address])));
  };
  const answer = async (hostname: string): Promise<void> => {
    held.get(hostname)?.();
    await settled();
  };
  return { lookup, asked, answer };
}

test('no more lookups than allowed are under way, and the others come in turn', async (t) => {
  const { lookup, asked, answer } = heldResolver();
  const lookups = new Lookups(lookup, 2);
  const answers = ['a', 'b', 'c', 'd'].map((name) => lookups.ask(name, 10_000));
  t.deepEqual(asked, ['a', 'b']);
  await answer('b');
  t.deepEqual(asked, ['a', 'b', 'c']);
  await answer('a');
  await answer('c');
  await answer('d');
  t.deepEqual(
    (await Promise.all(answers)).map(({ outcome }) => outcome),
    ['answered', 'answered', 'answered', 'answered'],
  );
});

test('waiting in line counts against the time, and who has given up is not looked up any more', async (t) => {
  const { lookup, asked, answer } = heldResolver();
  const lookups = new Lookups(lookup, 1);
  const hanging = lookups.ask('hanging', 10_000);
  t.deepEqual(await lookups.ask('given-up', 5), { outcome: 'late' });
  const patient = lookups.ask('patient', 10_000);
  await answer('hanging');
  t.deepEqual(asked, ['hanging', 'patient']);
  await answer('patient');
  t.is((await hanging).outcome, 'answered');
  t.is((await patient).outcome, 'answered');
  const again = lookups.ask('given-up', 10_000);
  await answer('given-up');
  t.is((await again).outcome, 'answered', 'a name that was given up can be asked for again');
});

test('a name in line stays there as long as one export waits for it', async (t) => {
  const { lookup, asked, answer } = heldResolver();
  const lookups = new Lookups(lookup, 1);
  void lookups.ask('hanging', 10_000);
  const patient = lookups.ask('name', 10_000);
  t.deepEqual(await lookups.ask('name', 5), { outcome: 'late' });
  await answer('hanging');
  await answer('name');
  t.deepEqual(asked, ['hanging', 'name']);
  t.deepEqual(await patient, { outcome: 'answered', addresses: [address] });
  await answer('hanging');
});

test('a name whose every export gave up while it was looked up is asked once, until it answers', async (t) => {
  const { lookup, asked, answer } = heldResolver();
  const lookups = new Lookups(lookup, 2);
  for (let round = 0; round < 3; round += 1) t.is((await lookups.ask('slow', 5)).outcome, 'late');
  t.deepEqual(asked, ['slow']);
  await answer('slow');
  void lookups.ask('slow', 5);
  t.deepEqual(asked, ['slow', 'slow']);
  await answer('slow');
});

test('a resolver that throws is a lookup that failed', async (t) => {
  const error = new Error('no');
  const lookups = new Lookups(() => {
    throw error;
  }, 1);
  t.deepEqual(await lookups.ask('name', 1000), { outcome: 'failed', error });
  t.deepEqual(await lookups.ask('name', 1000), { outcome: 'failed', error });
});

test('what has ended makes room for one, not for more', async (t) => {
  const { lookup, asked, answer } = heldResolver();
  const lookups = new Lookups(lookup, 1);
  const answers = ['a', 'b'].map((name) => lookups.ask(name, 10_000));
  await answer('a');
  answers.push(lookups.ask('c', 10_000));
  t.deepEqual(asked, ['a', 'b']);
  await answer('b');
  t.deepEqual(asked, ['a', 'b', 'c']);
  await answer('c');
  for (const { outcome } of await Promise.all(answers)) t.is(outcome, 'answered');
});
