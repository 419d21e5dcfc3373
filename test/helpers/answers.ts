import { setTimeout as delay } from 'node:timers/promises';
import { type Behaviour, behave } from './raw_destination.js';

/** Reads the request and sends these bytes; further requests on the connection are answered as they should be. */
export function answers(...pieces: readonly string[]): Behaviour {
  return async (peer) => {
    await peer.request();
    for (const piece of pieces) {
      peer.send(piece);
      // Lets each piece be read on its own.
      if (pieces.length > 1) await delay(5);
    }
    await behave(peer);
  };
}

/** Reads the request, sends these bytes and closes the connection. */
export function answersAndCloses(bytes: string): Behaviour {
  return async (peer) => {
    await peer.request();
    peer.end(bytes);
  };
}

/** Reads the request, sends these bytes and, once they have arrived, resets the connection. */
export function answersAndResets(bytes: string): Behaviour {
  return async (peer) => {
    await peer.request();
    peer.send(bytes);
    await delay(20);
    peer.reset();
  };
}
