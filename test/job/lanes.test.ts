import test from 'ava';
import { type JobId, isJobId } from '#relay/job/job.js';
import { Lanes } from '#relay/job/lanes.js';
import { settled } from '../helpers/fake_clock.js';

function id(number: number): JobId {
  const text = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  if (!isJobId(text)) throw new Error(text);
  return text;
}

/** Lanes whose turns last until the test ends them. */
function held(options: { concurrency: number; laneConcurrency: number }): {
  lanes: Lanes;
  begun: JobId[];
  end: () => Promise<void>;
} {
  const begun: JobId[] = [];
  const ends: (() => void)[] = [];
  const lanes = new Lanes({
    ...options,
    run: (job) =>
      new Promise((resolve) => {
        begun.push(job);
        ends.push(resolve);
      }),
  });
  return {
    lanes,
    begun,
    end: async () => {
      ends.shift()?.();
      await settled();
    },
  };
}

test('jobs of a lane run one after another, in the order they were accepted', async (t) => {
  const { lanes, begun, end } = held({ concurrency: 10, laneConcurrency: 1 });
  for (const number of [1, 2, 3]) lanes.enqueue('a', id(number));
  await settled();
  t.deepEqual(begun, [id(1)]);
  await end();
  t.deepEqual(begun, [id(1), id(2)]);
  await end();
  t.deepEqual(begun, [id(1), id(2), id(3)]);
});

test('lanes take turns: a backlog of one delays another by one turn only', async (t) => {
  const { lanes, begun, end } = held({ concurrency: 1, laneConcurrency: 1 });
  for (let number = 1; number <= 100; number += 1) lanes.enqueue('busy', id(number));
  lanes.enqueue('quiet', id(500));
  await settled();
  await end();
  t.deepEqual(begun, [id(1), id(500)]);
});

test('a lane has as many attempts in flight as it may, and the whole no more than its bound', async (t) => {
  const { lanes, begun } = held({ concurrency: 5, laneConcurrency: 2 });
  for (const lane of ['a', 'b', 'c']) {
    for (let number = 1; number <= 4; number += 1) lanes.enqueue(lane, id(lane.charCodeAt(0) * 10 + number));
  }
  await settled();
  t.is(lanes.running, 5);
  t.is(begun.filter((job) => job.endsWith('971') || job.endsWith('972')).length, 2);
});

test('a job that is due again goes first in its lane', async (t) => {
  const { lanes, begun, end } = held({ concurrency: 1, laneConcurrency: 1 });
  lanes.enqueue('a', id(1));
  lanes.enqueue('a', id(2));
  await settled();
  lanes.enqueueFirst('a', id(9));
  await end();
  t.deepEqual(begun, [id(1), id(9)]);
});

test('a job taken out never runs, and its lane goes on', async (t) => {
  const { lanes, begun, end } = held({ concurrency: 1, laneConcurrency: 1 });
  lanes.enqueue('a', id(1));
  const place = lanes.enqueue('a', id(2));
  lanes.enqueue('a', id(3));
  await settled();
  lanes.remove(place);
  await end();
  t.deepEqual(begun, [id(1), id(3)]);
});

test('a head taken out after its turn was offered costs its lane nothing', async (t) => {
  const { lanes, begun, end } = held({ concurrency: 1, laneConcurrency: 1 });
  lanes.enqueue('a', id(1));
  await settled();
  lanes.remove(lanes.enqueue('b', id(2)));
  await end();
  lanes.enqueue('b', id(3));
  await settled();
  t.deepEqual(begun, [id(1), id(3)]);
});

test('a lane of which only a turn is left keeps to its bound when jobs come to it again', async (t) => {
  const { lanes, begun, end } = held({ concurrency: 3, laneConcurrency: 2 });
  for (const [number, lane] of ['a', 'b', 'c', 'd'].entries()) lanes.enqueue(lane, id(number));
  lanes.remove(lanes.enqueue('a', id(10)));
  await settled();
  await end();
  t.deepEqual(begun, [id(0), id(1), id(2), id(3)], "the turn of the one taken out waits behind d's");
  for (const number of [11, 12]) lanes.enqueue('a', id(number));
  for (let ended = 0; ended < 3; ended += 1) await end();
  lanes.enqueue('a', id(13));
  await settled();
  t.deepEqual(begun.slice(4), [id(11), id(12)]);
  await end();
  t.deepEqual(begun.slice(4), [id(11), id(12), id(13)]);
});

test('a lane without work is forgotten', async (t) => {
  const { lanes, end } = held({ concurrency: 10, laneConcurrency: 1 });
  for (const lane of ['a', 'b']) lanes.enqueue(lane, id(lane.charCodeAt(0)));
  await settled();
  t.is(lanes.size, 2);
  await end();
  await end();
  t.is(lanes.size, 0);
});

test('a lane that waits for its turn is not forgotten, though nothing of it is in flight', async (t) => {
  const { lanes, end } = held({ concurrency: 1, laneConcurrency: 1 });
  lanes.enqueue('a', id(1));
  lanes.enqueue('a', id(2));
  lanes.enqueue('b', id(3));
  await settled();
  await end();
  t.is(lanes.size, 2, 'b has its turn, and a waits for one');
  await end();
  t.is(lanes.size, 1);
  await end();
  t.is(lanes.size, 0);
});

test('after a pause no turn begins, and quiet comes when those in flight have ended', async (t) => {
  const { lanes, begun, end } = held({ concurrency: 1, laneConcurrency: 1 });
  lanes.enqueue('a', id(1));
  lanes.enqueue('a', id(2));
  await settled();
  lanes.pause();
  let quiet = false;
  void lanes.onQuiet().then(() => {
    quiet = true;
  });
  await settled();
  t.false(quiet);
  await end();
  t.true(quiet);
  t.deepEqual(begun, [id(1)]);
});
