import { burst } from './burst.js';
import { account, aimAt, arrived, flood, highestRate, oneExport, receiveFlood } from './flood.js';
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
  aimAt,
  receiveFlood,
  arrived,
  highestRate,
  oneExport,
  flood,
  account,
};

export type Tasks = typeof tasks;
