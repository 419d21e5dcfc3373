import { IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Decides, once per request that asks for an upgrade, whether it gets one. Must not throw. */
export type WantsUpgrade = (request: IncomingMessage) => boolean;

/**
 * The class of a server's requests, of which only those that `wants` approves raise the server's `upgrade` event. All
 * others stay ordinary requests, as RFC 9110 (7.8) has it: `curl --http2` offers h2c with whatever it sends.
 *
 * Without this, a single listener for `upgrade` makes Node hand over every request that offers any upgrade, with its
 * body unread. (Node's own `shouldUpgradeCallback` does the same, but Node 20 has none.)
 */
export function upgradableMessage(wants: WantsUpgrade): typeof IncomingMessage {
  // Node sets `upgrade` while it builds the request, and asks for it when the headers are in. No initialisers: the
  // base class sets it before any of them would run.
  return class UpgradableMessage extends IncomingMessage {
    declare private offersUpgrade: boolean | undefined;
    declare private verdict: boolean | undefined;

    get upgrade(): boolean {
      if (this.offersUpgrade !== true) return false;
      return (this.verdict ??= wants(this));
    }

    set upgrade(offered: boolean | null) {
      this.offersUpgrade = offered === true;
    }
  };
}

interface Connection {
  last: ServerResponse | undefined;
}

/** The last answer of each connection, as long as it is being written. */
export class AnswersInWriting {
  /** What is noted of a connection is changed in place: to set a value of a WeakMap is work for the collector. */
  readonly #connections = new WeakMap<Socket, Connection>();

  note({ socket }: IncomingMessage, response: ServerResponse): void {
    const known = this.#connections.get(socket);
    const connection: Connection = known ?? { last: response };
    if (known === undefined) this.#connections.set(socket, connection);
    else known.last = response;
    response.once('close', () => {
      if (connection.last === response) connection.last = undefined;
    });
  }

  /** Whether a request that was pipelined before has no whole answer yet: it would get mixed up with what follows. */
  has(socket: Socket): boolean {
    return this.current(socket) !== undefined;
  }

  /** The answer to the last request, if it is not written whole. */
  current(socket: Socket): ServerResponse | undefined {
    const last = this.#connections.get(socket)?.last;
    return last?.writableFinished === false ? last : undefined;
  }
}
