import type { Clock } from '../clock.js';

const intervalMs = 30_000;
/** Pings in a row that may stay unanswered. */
const maxMissed = 2;

export interface HeartbeatOptions {
  readonly clock: Clock;
  readonly ping: () => void;
  /** Whether answers are taken: one that waits to be read is none that was missed. */
  readonly isReading: () => boolean;
  readonly onDead: () => void;
}

/** Finds out whether a peer is still there: a ping every 30 s, of which no two in a row may be missed. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #missed = 0;
  #cancel: () => void;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#cancel = this.#next();
  }

  /** The peer has answered, or may have while nobody read. */
  heard(): void {
    this.#missed = 0;
  }

  stop(): void {
    this.#cancel();
  }

  #next(): () => void {
    return this.#options.clock.after(intervalMs, () => this.#beat());
  }

  #beat(): void {
    if (this.#options.isReading()) {
      if (this.#missed === maxMissed) {
        this.#options.onDead();
        return;
      }
      this.#missed += 1;
    }
    this.#cancel = this.#next();
    this.#options.ping();
  }
}
