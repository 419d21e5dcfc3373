import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { mintWith } from '../helpers/relay.js';
import type { Account, Kind } from './account.js';
import { type Destinations, payloadOf } from './destinations.js';
import { Follower } from './followers.js';
import type { Random } from './random.js';
import type { Reply, Target } from './target.js';

type Story = 'longPoll' | 'poll' | 'again' | 'cancel' | 'socket' | 'half' | 'unread';

/** How often each way of exporting is taken, in per cent. */
const stories: readonly (readonly [number, Story])[] = [
  [38, 'longPoll'],
  [25, 'poll'],
  [10, 'again'],
  [10, 'cancel'],
  [12, 'socket'],
  [2, 'half'],
  [3, 'unread'],
];
/** One in a hundred goes to a destination that fails. */
const kinds: readonly (readonly [number, Kind])[] = [
  [990, 'fine'],
  [2, 'status500'],
  [2, 'reset'],
  [2, 'refused'],
  [2, 'slow'],
  [2, 'hang'],
];
const sizes: readonly (readonly [number, number])[] = [
  [70, 200],
  [20, 4096],
  [9, 32 * 1024],
  [1, 256 * 1024],
];
const apps = 8;
const givenUpMs = 120_000;

interface Export {
  readonly number: number;
  readonly macaroon: string;
  readonly uri: string;
  readonly data: string;
  readonly key: string;
}

/** What apps do with a relay: each call plays one export from its submission to its end. */
export class Apps {
  /** Exports under way. */
  active = 0;
  /** What went wrong in here. */
  readonly bugs: string[] = [];
  readonly #macaroons = Array.from({ length: apps }, (_, app) => mintWith({ identifier: `app ${app}` }));
  readonly #followers: readonly Follower[];
  readonly #target: Target;
  readonly #destinations: Destinations;
  readonly #account: Account;
  readonly #random: Random;

  constructor(target: Target, destinations: Destinations, account: Account, random: Random) {
    this.#target = target;
    this.#destinations = destinations;
    this.#account = account;
    this.#random = random;
    this.#followers = this.#macaroons.map((macaroon) => new Follower(target, macaroon));
  }

  async play(): Promise<void> {
    this.active += 1;
    try {
      const kind = this.#random.weighted(kinds, 'fine');
      const story = this.#random.weighted(stories, 'longPoll');
      const bytes = this.#random.weighted(sizes, 200);
      const number = this.#account.begin(kind, performance.now());
      const turn = Math.floor(this.#random.next() * apps);
      await this.#tell(story, turn, {
        number,
        macaroon: this.#macaroons[turn] ?? '',
        uri: this.#destinations.url(kind, number),
        data: payloadOf(number, bytes),
        key: randomUUID(),
      });
    } catch (error) {
      this.bugs.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
    } finally {
      this.active -= 1;
    }
  }

  /** Breaks one of the WebSockets. */
  dropFollower(): void {
    this.#followers[Math.floor(this.#random.next() * apps)]?.drop();
  }

  closeFollowers(): void {
    for (const follower of this.#followers) follower.drop();
  }

  async #tell(story: Story, app: number, one: Export): Promise<void> {
    if (story === 'half') {
      this.#account.breaksOff(one.number);
      await this.#hangUp(one, 0.5);
      return;
    }
    if (story === 'unread') await this.#hangUp(one, 1);
    if (story === 'socket') {
      await this.#overSocket(this.#followers[app], one);
      return;
    }
    const id = await this.#submit(one);
    if (id === undefined) return;
    // Its answer got lost, says the app, and asks for the same once more.
    if (story === 'again') await this.#submit(one);
    if (story === 'cancel') {
      await delay(this.#random.between(0, 30));
      this.#account.cancelling(one.number);
      const reply = await this.#target.post('/export', { id, action: 'cancel' }, one);
      if (this.#note(one, reply)) return;
    }
    if (story === 'longPoll' && this.#random.next() < 0.1) await this.#abandonPoll(id, one);
    await this.#await(id, one, story === 'poll');
  }

  /** Submits until there is an answer, always under one key; gives the id unless it was refused. */
  async #submit(one: Export): Promise<string | undefined> {
    const { uri, data } = one;
    const deadlineMs = performance.now() + givenUpMs;
    while (performance.now() < deadlineMs) {
      const reply = await this.#target.post('/export', { id: '', uri, data }, one);
      if (reply === 'cut') continue;
      if (reply.status === 200) {
        this.#account.accepted(one.number, reply.json.id);
        return reply.json.id;
      }
      if (!this.#isRefusal(reply)) return undefined;
      await delay(reply.retryAfter * 1000);
    }
    return undefined;
  }

  /** Asks until the export is Finished. */
  async #await(id: string, one: Export, short: boolean): Promise<void> {
    const path = short ? '/export' : '/lp/export?until=Finished&timeout=10';
    const deadlineMs = performance.now() + givenUpMs;
    while (performance.now() < deadlineMs) {
      if (short) await delay(this.#random.between(20, 500));
      const reply = await this.#target.post(path, { id }, { ...one, held: !short });
      if (this.#note(one, reply)) return;
    }
  }

  /** Takes an answer down; gives whether it was the last. */
  #note({ number }: Export, reply: Reply): boolean {
    if (reply === 'cut') return false;
    const { status, json } = reply;
    if (status === 404) {
      this.#account.forgotten(number);
      return true;
    }
    if (status !== 200) return !this.#isRefusal(reply);
    if (json.state !== 'Finished') return false;
    const { status: answer = '', error } = json.ext_response;
    this.#account.ended(number, { status: answer, error: error?.code }, performance.now());
    return true;
  }

  /** Whether it is a documented want of room that says when to come back; else it is noted. */
  #isRefusal({ status, retryAfter, json }: Exclude<Reply, 'cut'>): boolean {
    const { troubles } = this.#target;
    if ((status === 429 || status === 503) && retryAfter > 0 && json.code !== 'storage_unavailable') {
      troubles.refused += 1;
      return true;
    }
    this.#target.unexpected(`${status} ${json.code ?? ''}`);
    return false;
  }

  async #overSocket(follower: Follower | undefined, one: Export): Promise<void> {
    const { number, uri, data, key } = one;
    const followed = await follower?.follow({ id: '', uri, data, idempotency_key: key });
    if (followed?.id !== undefined) this.#account.accepted(number, followed.id);
    if (followed?.last?.code !== undefined) {
      this.#target.unexpected(`a frame with ${followed.last.code}`);
      return;
    }
    if (followed?.last?.state === 'Finished') {
      const { last } = followed;
      this.#note(one, { status: 200, retryAfter: 0, json: last });
      return;
    }
    // The socket broke: the same key leads to the same job, whatever became of the frame.
    const id = await this.#submit(one);
    if (id !== undefined) await this.#await(id, one, false);
  }

  /** Sends this share of a submission and breaks the connection without having read an answer. */
  async #hangUp({ macaroon, uri, data, key }: Export, share: number): Promise<void> {
    const body = Buffer.from(JSON.stringify({ id: '', uri, data }));
    const head = headOf('/export', macaroon, body.length, `Idempotency-Key: ${key}\r\n`);
    await this.#send(Buffer.concat([head, body.subarray(0, Math.floor(body.length * share))]), 3);
  }

  /** A long poll whose client leaves in the middle. */
  async #abandonPoll(id: string, { macaroon }: Export): Promise<void> {
    const body = Buffer.from(JSON.stringify({ id }));
    const head = headOf('/lp/export?timeout=20&until=Finished', macaroon, body.length, '');
    await this.#send(Buffer.concat([head, body]), 50);
  }

  async #send(bytes: Buffer, withinMs: number): Promise<void> {
    await this.#target.ready;
    const socket = connect(Number(new URL(this.#target.relay.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(bytes, () => setTimeout(() => socket.destroy(), this.#random.between(0, withinMs)));
    await new Promise((resolve) => socket.once('close', resolve));
  }
}

function headOf(path: string, macaroon: string, bytes: number, more: string): Buffer {
  const lines = `Host: relay\r\nX-Api-Key: ${macaroon}\r\nContent-Length: ${bytes}\r\n${more}`;
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${lines}\r\n`);
}
