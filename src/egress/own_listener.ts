import { classOf, identities } from './address.js';
import { type Address, parseAddress } from './network.js';

/** A socket the relay itself listens on: an export to it would let an app speak to the relay as the relay. */
export interface OwnListener {
  /** The address bound, as `server.address()` prints it; `0.0.0.0` and `::` mean every address. */
  readonly address: string;
  readonly port: number;
}

/**
 * The listeners as a connection finds them: one that is bound to every address is reached at each of the
 * machine's own (`machineAddresses`), besides the loopback.
 */
export function reachableListeners(
  bound: readonly OwnListener[],
  machineAddresses: readonly string[],
): readonly OwnListener[] {
  return bound.flatMap((listener) => [
    listener,
    ...(isOnEveryAddress(listener) ? machineAddresses : []).map((address) => ({
      address,
      port: listener.port,
    })),
  ]);
}

/** Whether a connection to this address and port would end at one of the relay's own listeners. */
export function isOwnListener(address: Address, port: number, own: readonly OwnListener[]): boolean {
  return own.some((listener) => listener.port === port && isReachedAt(listener, identities(address)));
}

function isReachedAt(listener: OwnListener, wanted: readonly Address[]): boolean {
  // All of 127/8 leads to a listener on every address, and to be safe `::1` to one on 0.0.0.0.
  if (isOnEveryAddress(listener) && wanted.some((one) => classOf(one) === 'loopback')) return true;
  const bound = parseAddress(listener.address);
  if (bound === undefined) return false;
  return identities(bound).some((own) => wanted.some((one) => one.toString() === own.toString()));
}

function isOnEveryAddress(listener: OwnListener): boolean {
  const address = parseAddress(listener.address);
  return address !== undefined && classOf(address) === 'unspecified';
}
