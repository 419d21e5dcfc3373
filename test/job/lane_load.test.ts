import test from 'ava';
import { LaneLoad } from '#relay/job/lane_load.js';

test('the load of a lane is what was added and not removed, whatever other lanes do', (t) => {
  const load = new LaneLoad();
  const loads: number[] = [];
  const note = (): void => void loads.push(load.of('a'));
  for (let count = 0; count < 4; count += 1) {
    load.add('a');
    load.add('b');
    note();
  }
  for (let count = 0; count < 4; count += 1) {
    load.remove('a');
    note();
  }
  load.add('a');
  note();
  t.deepEqual(loads, [1, 2, 3, 4, 3, 2, 1, 0, 1]);
  t.is(load.of('b'), 4);
  t.is(load.of('c'), 0);
});
