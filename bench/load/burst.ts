import { hammer } from './hammer.js';
import { theReceiver } from './state.js';

export interface BurstOptions {
  /** The relay's. */
  readonly port: number;
  readonly connections: number;
  readonly requests: readonly Uint8Array[];
  readonly count: number;
}

export interface Bursted {
  /** From the first submission until the last export has arrived. */
  readonly durationMs: number;
  /** Until the last submission was acknowledged. */
  readonly submittedMs: number;
}

/** Submits jobs as fast as the relay takes them, to this process's receiver, and waits until all have arrived. */
export async function burst({ port, connections, requests, count }: BurstOptions): Promise<Bursted> {
  const receiver = theReceiver();
  const startedAtMs = performance.now();
  let arrived = 0;
  const all = new Promise<number>((resolve) => {
    receiver.onArrival = (_path, atMs) => {
      arrived += 1;
      if (arrived === count) resolve(atMs);
    };
  });
  const { durationMs: submittedMs } = await hammer({ port, connections, requests, count });
  return { durationMs: (await all) - startedAtMs, submittedMs };
}
