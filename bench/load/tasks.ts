import { burst } from './burst.js';
import { hammer, submitOne } from './hammer.js';
import { hold, paced, releaseHeld, startHolding } from './held_polls.js';
import { directLatencies, exportLatencies, longPollLatencies } from './latencies.js';
import { openReceiver } from './state.js';

/** What an agent does for a measurement, in its own process. */
export const tasks = {
  openReceiver,
  hammer,
  submitOne,
  burst,
  exportLatencies,
  directLatencies,
  longPollLatencies,
  startHolding,
  hold,
  releaseHeld,
  paced,
};

export type Tasks = typeof tasks;
