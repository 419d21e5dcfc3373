import type { ServerResponse } from 'node:http';
import type { Clock } from '../clock.js';

export interface LiveOptions {
  readonly clock: Clock;
  /** What listeners are sent, as one line of text. */
  readonly current: () => string;
}

/** Browsers that listen at once. */
const maxListeners = 32;
/** Between two updates, however much happens. */
const updateEveryMs = 250;
/** Figures change that no change of the record tells of, such as long polls held; and silence would look like death. */
const lookEveryMs = 2000;
/** A listener that reads nothing is cut off when so much waits for it; a browser comes back by itself. */
const maxUnreadBytes = 256 * 1024;

/** Server-sent events: the same update to every listener, at most four a second. */
export class LiveUpdates {
  readonly #options: LiveOptions;
  readonly #listeners = new Set<ServerResponse>();
  #last = '';
  #cancelUpdate: (() => void) | undefined;
  #cancelLook: (() => void) | undefined;

  constructor(options: LiveOptions) {
    this.#options = options;
  }

  get full(): boolean {
    return this.#listeners.size >= maxListeners;
  }

  /** Sends updates on a response, whose headers have been written, until its connection ends. */
  add(response: ServerResponse): void {
    const current = this.#options.current();
    if (this.#listeners.size === 0) this.#last = current;
    this.#listeners.add(response);
    response.once('close', () => this.#remove(response));
    response.write(`retry: 2000\n\n${message(current)}`);
    this.#cancelLook ??= this.#scheduleLook();
  }

  /** Something has changed. Costs next to nothing where nobody listens. */
  readonly changed = (): void => {
    if (this.#listeners.size === 0 || this.#cancelUpdate !== undefined) return;
    this.#cancelUpdate = this.#options.clock.after(updateEveryMs, () => {
      this.#cancelUpdate = undefined;
      this.#update();
    });
  };

  /** Ends every listener's response. */
  close(): void {
    for (const response of this.#listeners) response.end();
    this.#rest();
  }

  #update(): void {
    const current = this.#options.current();
    // A comment shows a listener that all is well, and this end whether there still is one.
    this.#send(current === this.#last ? ':\n\n' : message(current));
    this.#last = current;
  }

  #send(text: string): void {
    for (const response of this.#listeners) {
      if (response.writableLength > maxUnreadBytes) response.destroy();
      else response.write(text);
    }
  }

  #scheduleLook(): () => void {
    return this.#options.clock.after(lookEveryMs, () => {
      this.#update();
      this.#cancelLook = this.#scheduleLook();
    });
  }

  #remove(response: ServerResponse): void {
    this.#listeners.delete(response);
    if (this.#listeners.size === 0) this.#rest();
  }

  #rest(): void {
    this.#cancelUpdate?.();
    this.#cancelLook?.();
    this.#cancelUpdate = this.#cancelLook = undefined;
  }
}

function message(data: string): string {
  return `data: ${data}\n\n`;
}
