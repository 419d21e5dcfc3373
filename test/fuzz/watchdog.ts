import { Worker } from 'node:worker_threads';

export interface Watchdog {
  readonly onInput: (index: number) => void;
  readonly stop: () => Promise<unknown>;
}

/** Runs beside the campaign, since a loop without end lets nothing run within its thread. */
const source = `
const { workerData: { counter, name, seed, hangMs } } = require('node:worker_threads');
const { writeSync } = require('node:fs');
let before = -1;
setInterval(() => {
  const index = Atomics.load(counter, 0);
  if (index === before && index >= 0) {
    writeSync(1, name + ': BROKEN by input ' + index + ' of seed ' + seed + ', which does not end\\n');
    process.kill(process.pid, 'SIGKILL');
  }
  before = index;
}, hangMs);
`;

/** Ends the process, after naming the input, once one keeps it busy for so long that it will never end. */
export function watchForHangs(name: string, seed: number, hangMs = 60_000): Watchdog {
  const counter = new Int32Array(new SharedArrayBuffer(4)).fill(-1);
  const worker = new Worker(source, { eval: true, workerData: { counter, name, seed, hangMs } });
  worker.unref();
  return { onInput: (index) => void Atomics.store(counter, 0, index), stop: () => worker.terminate() };
}
