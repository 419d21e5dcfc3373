import { Connection, type ConnectionOptions } from './connection.js';

export interface PoolOptions extends ConnectionOptions {
  /** Connections kept open without a request, to all destinations together. */
  readonly maxIdle: number;
}

interface Idle {
  readonly connection: Connection;
  readonly onClosed: () => void;
}

/**
 * The connections to all destinations. Nothing is kept about a destination but its open connections, and of idle
 * ones there are never more than `maxIdle`: however many destinations there are, they leave nothing behind.
 */
export class ConnectionPool {
  readonly #options: PoolOptions;
  readonly #open = new Set<Connection>();
  /** Oldest first. */
  readonly #idle = new Set<Idle>();
  /** By origin, the one used last at the end. */
  readonly #idleAt = new Map<string, Idle[]>();

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Connections that are in use, idle or being made. */
  get size(): number {
    return this.#open.size;
  }

  /** A connection for one request: the idle one used last, which is the most likely to be alive, or a new one. */
  take(origin: string): Connection {
    const idle = this.#idleAt.get(origin)?.at(-1);
    if (idle !== undefined) {
      this.#forget(idle);
      return idle.connection;
    }
    const connection = new Connection(origin, this.#options);
    this.#open.add(connection);
    return connection;
  }

  /** Takes back a connection after its request, whatever has become of either. */
  giveBack(connection: Connection): void {
    const onClosed = (): void => {
      this.#forget(idle);
      void this.#destroy(connection);
    };
    const idle: Idle = { connection, onClosed };
    if (!connection.rest(onClosed)) {
      void this.#destroy(connection);
      return;
    }
    this.#idle.add(idle);
    const others = this.#idleAt.get(connection.origin);
    if (others === undefined) this.#idleAt.set(connection.origin, [idle]);
    else others.push(idle);
    const [oldest] = this.#idle;
    if (this.#idle.size > this.#options.maxIdle) oldest?.onClosed();
  }

  /** Closes every connection at once, those in use and those being made too. */
  async close(): Promise<void> {
    await Promise.all([...this.#open].map((connection) => this.#destroy(connection)));
  }

  /** Once for each that was idle: it is taken, or has closed. */
  #forget(idle: Idle): void {
    const { connection, onClosed } = idle;
    connection.wake(onClosed);
    this.#idle.delete(idle);
    const siblings = this.#idleAt.get(connection.origin) ?? [];
    // The one taken is the last: found at once, and removed without moving the others.
    siblings.splice(siblings.lastIndexOf(idle), 1);
    if (siblings.length === 0) this.#idleAt.delete(connection.origin);
  }

  #destroy(connection: Connection): Promise<void> {
    this.#open.delete(connection);
    return connection.destroy();
  }
}
