import { Receiver } from './receiver.js';

let receiver: Receiver | undefined;

/** This process's receiver; every agent has at most one, for all that it measures. */
export function theReceiver(): Receiver {
  if (receiver === undefined) throw new Error('openReceiver comes first');
  return receiver;
}

/** Starts this process's receiver and gives its port. */
export async function openReceiver(): Promise<number> {
  receiver ??= await Receiver.start();
  return receiver.port;
}
