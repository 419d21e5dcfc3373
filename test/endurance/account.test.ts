import test from 'ava';
import { Account } from './account.js';
import { Random } from './random.js';
import { growthOf, lowest } from './slope.js';

const fine = { status: '200 OK', error: undefined };

test('an export that arrives, is answered and ends is settled', (t) => {
  const account = new Account();
  const number = account.begin('fine', 0);
  account.accepted(number, 'a');
  account.arrived(number, 'a', 1);
  account.answered(number, 2);
  account.ended(number, fine, 3);
  t.is(account.lost(), 0);
  t.like(account.counts, { accepted: 1, delivered: 1, endedWrongly: 0, repeated: 0, unfounded: 0 });
});

test('an export that was accepted and has no end is lost', (t) => {
  const account = new Account();
  account.accepted(account.begin('fine', 0), 'a');
  account.sweep(1e9);
  t.is(account.lost(), 1);
});

test('a second arrival after an answer is a repetition, but shortly before a kill', (t) => {
  const account = new Account();
  const [first, second] = [account.begin('fine', 0), account.begin('fine', 0)];
  for (const number of [first, second]) {
    account.accepted(number, `job ${number}`);
    account.arrived(number, `job ${number}`, 1);
    account.answered(number, 2);
  }
  account.arrived(first, 'job 1', 100);
  t.like(account.counts, { repeated: 1, repeatedByKill: 0 });
  account.killed(200);
  account.arrived(second, 'job 2', 300);
  t.like(account.counts, { repeated: 1, repeatedByKill: 1 });
});

test('what arrives under two keys, broken off, changed or long after its end is told', (t) => {
  const account = new Account();
  const [twice, half, late] = [account.begin('fine', 0), account.begin('fine', 0), account.begin('fine', 0)];
  account.arrived(twice, 'a', 1);
  account.arrived(twice, 'b', 2);
  t.is(account.counts.duplicates, 1);
  account.breaksOff(half);
  account.arrived(half, 'c', 1);
  account.arrived(0, 'd', 1);
  t.is(account.counts.wrong, 2);
  account.ended(late, { status: '503 Service Unavailable', error: 'cancelled' }, 10);
  account.sweep(100_000);
  account.arrived(late, 'e', 100_000);
  t.is(account.counts.repeated, 1);
});

test('the growth of a measure is found under its ups and downs', (t) => {
  const random = new Random(1);
  const points = Array.from({ length: 7200 }, (_, second) => ({
    atMs: second * 1000,
    value: 100 + second / 3600 + random.between(-5, 5),
  }));
  const { perHour, errorPerHour } = growthOf(points);
  t.true(Math.abs(perHour - 1) < 2 * errorPerHour, `${perHour} ± ${errorPerHour}`);
  t.true(errorPerHour < 1);
  t.is(lowest(points, 3_600_000).length, 2);
});
