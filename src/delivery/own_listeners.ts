import { networkInterfaces } from 'node:os';
import { type OwnListener, reachableListeners } from '../egress/own_listener.js';

/** How long a reading of the interfaces is good for: it takes as long as twenty judgements. */
const maxAgeMs = 1000;

/**
 * The relay's own listeners as connections find them now: `bound`, which is asked each time as listeners start
 * one after another, at the addresses that the machine has.
 */
export function currentOwnListeners(bound: () => readonly OwnListener[]): () => readonly OwnListener[] {
  let addresses: readonly string[] = [];
  let readAtMs = -Infinity;
  return () => {
    const nowMs = performance.now();
    if (nowMs - readAtMs > maxAgeMs) {
      addresses = machineAddresses();
      readAtMs = nowMs;
    }
    return reachableListeners(bound(), addresses);
  };
}

function machineAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.map(({ address }) => address),
  );
}
