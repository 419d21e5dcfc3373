import type { Scenario } from './scenario.js';
import { kills } from './r01_kills.js';
import { killPoints } from './r02_points.js';
import { order } from './r03_order.js';
import { damage } from './r05_damage.js';
import { disk } from './r06_disk.js';
import { memory } from './r07_memory.js';
import { clocks } from './r08_clock.js';
import { descriptors } from './r09_descriptors.js';
import { slow } from './r12_slow_clients.js';
import { deadLane } from './r13_dead_destination.js';
import { stalls } from './r14_stalls.js';
import { stops } from './r15_stops.js';
import { second } from './r16_second.js';
import { arbiter } from './r17_arbiter.js';
import { lostAnswer } from './r18_lost_answer.js';
import { retries } from './r19_retries.js';

/** Every scenario, in the order of their names. */
export const scenarios: readonly Scenario[] = [
  kills,
  killPoints,
  order,
  damage,
  disk,
  memory,
  clocks,
  descriptors,
  slow,
  deadLane,
  stalls,
  stops,
  second,
  arbiter,
  lostAnswer,
  retries,
].flat();
