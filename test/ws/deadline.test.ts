import test from 'ava';
import { Deadline } from '#relay/ws/deadline.js';
import { FakeClock } from '../helpers/fake_clock.js';

/** Notes the delays it is asked for. */
class NotingClock extends FakeClock {
  readonly delays: number[] = [];

  override after(delayMs: number, callback: () => void): () => void {
    this.delays.push(delayMs);
    return super.after(delayMs, callback);
  }
}

const day = 24 * 3600 * 1000;

test('a deadline of a hundred days is reached in steps that a timer can make, and calls back once', async (t) => {
  const clock = new NotingClock(0);
  let reached = 0;
  const deadline = new Deadline(clock, 100 * day, () => (reached += 1));
  await clock.advance(100 * day - 1);
  t.is(reached, 0);
  await clock.advance(1);
  t.is(reached, 1);
  deadline.check();
  t.is(reached, 1);
  t.is(clock.armed, 0);
  t.true(clock.delays.every((delayMs) => delayMs <= 2 ** 31 - 1));
  t.is(clock.delays.length, 5);
});

test('no deadline arms nothing', (t) => {
  const clock = new FakeClock();
  new Deadline(clock, undefined, () => t.fail()).check();
  t.is(clock.armed, 0);
});

test('a deadline that was stopped is never reached', async (t) => {
  const clock = new FakeClock(0);
  const deadline = new Deadline(clock, day, () => t.fail());
  deadline.stop();
  await clock.advance(2 * day);
  deadline.check();
  t.is(clock.armed, 0);
});
