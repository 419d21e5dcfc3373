import test from 'ava';
import { DrainRate } from '#relay/job/drain_rate.js';

test('a queue that does not move asks for a minute', (t) => {
  t.is(new DrainRate().secondsUntil(1, 5000), 60);
});

test('a fast queue asks for a second, a slow one for as long as a place takes', (t) => {
  const fast = new DrainRate();
  for (let count = 0; count < 1000; count += 1) fast.note(5000);
  t.is(fast.secondsUntil(1, 5500), 1);
  t.is(fast.secondsUntil(500, 5500), 5);
  const slow = new DrainRate();
  slow.note(5000);
  t.is(slow.secondsUntil(1, 5500), 10);
  t.is(slow.secondsUntil(0, 5500), 1, 'at once is not an answer');
});

test('what happened more than ten seconds ago does not count', (t) => {
  const rate = new DrainRate();
  for (let count = 0; count < 1000; count += 1) rate.note(5000);
  t.is(rate.secondsUntil(1, 14_999), 1);
  t.is(rate.secondsUntil(1, 15_000), 60);
  t.is(rate.secondsUntil(1, 1e9), 60);
  const early = new DrainRate();
  early.note(500);
  t.is(early.secondsUntil(1, 9999), 10);
  t.is(early.secondsUntil(1, 10_000), 60);
});

test('seconds that pass without a question are counted as empty', (t) => {
  const rate = new DrainRate();
  rate.note(1000);
  rate.note(9000);
  rate.note(12_500);
  t.is(rate.secondsUntil(1, 12_500), 5);
});
