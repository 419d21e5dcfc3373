import { networkInterfaces } from 'node:os';
import { type OwnListener, reachableListeners } from '../egress/own_listener.js';

/** How long a reading of the interfaces is good for: it takes as long as twenty judgements. */
const maxAgeMs = 1000;

/**
 * The relay's own listeners as connections find them now: `bound`, which is asked each time as listeners start
 * one after another, at the addresses that the machine has. Throws where these cannot be read at all; later readings
 * may fail, as each takes a file descriptor, and the last one that succeeded counts until they no longer do.
 */
export function currentOwnListeners(
  bound: () => readonly OwnListener[],
  read: () => readonly string[] = machineAddresses,
): () => readonly OwnListener[] {
  let addresses = read();
  let readAtMs = performance.now();
  let reachable: readonly OwnListener[] = [];
  let listeners = 0;
  return () => {
    const nowMs = performance.now();
    const now = bound();
    const stale = nowMs - readAtMs > maxAgeMs;
    if (stale) {
      addresses = readOr(addresses, read);
      readAtMs = nowMs;
    }
    // Listeners are only ever added. To combine them anew for each export took a fortieth of its acceptance.
    if (stale || now.length !== listeners) {
      reachable = reachableListeners(now, addresses);
      listeners = now.length;
    }
    return reachable;
  };
}

function readOr(last: readonly string[], read: () => readonly string[]): readonly string[] {
  try {
    return read();
  } catch {
    return last;
  }
}

function machineAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.map(({ address }) => address),
  );
}
