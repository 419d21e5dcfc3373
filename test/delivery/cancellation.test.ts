import test from 'ava';
import { Cancellation } from '#relay/delivery/cancellation.js';

test('whoever is told of a cancellation is told once, when it comes', (t) => {
  const cancellation = new Cancellation();
  let told = 0;
  cancellation.tell(() => (told += 1));
  t.deepEqual([told, cancellation.isCancelled], [0, false]);
  cancellation.cancel();
  t.deepEqual([told, cancellation.isCancelled], [1, true]);
  cancellation.cancel();
  t.is(told, 1);
});

test('a cancellation that has happened is told at once', (t) => {
  const cancellation = new Cancellation();
  cancellation.cancel();
  let told = 0;
  cancellation.tell(() => (told += 1));
  t.is(told, 1);
});

test('only the one who asked last is told of a cancellation, and nobody who has gone', (t) => {
  const cancellation = new Cancellation();
  const told: string[] = [];
  cancellation.tell(() => told.push('first'));
  cancellation.tell(() => told.push('second'));
  cancellation.cancel();
  t.deepEqual(told, ['second']);
  const left = new Cancellation();
  left.tell(() => told.push('who has gone'));
  left.tell(undefined);
  left.cancel();
  left.tell(undefined);
  t.deepEqual(told, ['second']);
});
