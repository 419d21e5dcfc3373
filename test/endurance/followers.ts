import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import type { JobJson } from '../helpers/relay.js';
import type { Target } from './target.js';

/** What the relay told of one export before its socket was gone. */
export interface Followed {
  readonly id: string | undefined;
  /** Its last state, or the problem. */
  readonly last: JobJson | undefined;
}

interface Following {
  id: string | undefined;
  last: JobJson | undefined;
  readonly resolve: (followed: Followed) => void;
}

/** A WebSocket that opens again and again, each time it is needed after it broke. */
export class Follower {
  readonly #target: Target;
  readonly #macaroon: string;
  readonly #byRef = new Map<string, Following>();
  readonly #byId = new Map<string, Following>();
  #socket: WebSocket | undefined;
  #opening: Promise<WebSocket | undefined> | undefined;

  constructor(target: Target, macaroon: string) {
    this.#target = target;
    this.#macaroon = macaroon;
  }

  /** Submits, and resolves once the export is Finished, refused, or the socket gone. */
  async follow(frame: Readonly<Record<string, unknown>>): Promise<Followed> {
    const socket = await this.#open();
    if (socket === undefined) return { id: undefined, last: undefined };
    const ref = randomUUID();
    return new Promise((resolve) => {
      this.#byRef.set(ref, { id: undefined, last: undefined, resolve });
      socket.send(JSON.stringify({ ...frame, ref }));
    });
  }

  /** Breaks the connection without a word. */
  drop(): void {
    this.#socket?.terminate();
  }

  #open(): Promise<WebSocket | undefined> {
    if (this.#socket?.readyState === WebSocket.OPEN) return Promise.resolve(this.#socket);
    this.#opening ??= this.#connect().finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  async #connect(): Promise<WebSocket | undefined> {
    await this.#target.ready;
    const life = this.#target.lives;
    const url = `${this.#target.relay.url.replace('http', 'ws')}/ws/export`;
    const socket = new WebSocket(url, { headers: { 'x-api-key': this.#macaroon } });
    const opened = await new Promise<boolean>((resolve) => {
      socket.once('open', () => resolve(true));
      socket.on('error', () => resolve(false));
    });
    if (!opened) {
      if (life === this.#target.lives) this.#target.unexpected('a WebSocket that did not open');
      return undefined;
    }
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#read(JSON.parse(data.toString()) as JobJson));
    socket.once('close', () => this.#gone());
    return socket;
  }

  #read(frame: JobJson): void {
    const { ref } = frame;
    const answered = typeof ref === 'string' ? this.#byRef.get(ref) : undefined;
    const following = answered ?? this.#byId.get(frame.id);
    if (following === undefined) return;
    if (typeof ref === 'string') this.#byRef.delete(ref);
    following.last = frame;
    const isJob = frame.code === undefined;
    if (isJob) {
      following.id = frame.id;
      this.#byId.set(frame.id, following);
    }
    if (isJob && frame.state !== 'Finished') return;
    if (following.id !== undefined) this.#byId.delete(following.id);
    following.resolve(following);
  }

  #gone(): void {
    for (const following of [...this.#byRef.values(), ...this.#byId.values()]) following.resolve(following);
    this.#byRef.clear();
    this.#byId.clear();
  }
}
