import { type Call, unlessAborted } from './call.js';
import { type Job, readJob } from './job.js';
import { allowsPath, packetsOf } from './macaroon.js';
import type { ClientClock, SocketConstructor, SocketEvent, SocketLike } from './platform.js';
import { parseObject } from './problem.js';

export interface SocketOptions {
  /** Without a slash at its end; `http:` or `https:`. */
  readonly baseUrl: string;
  readonly macaroon: string;
  readonly WebSocket: SocketConstructor;
  readonly clock: ClientClock;
  readonly onOpen: () => void;
}

/** After so long without a frame the relay is asked, and after so long without an answer it is taken for lost. */
const silenceMs = 30_000;
const answerWithinMs = 10_000;

/**
 * The job's states as they come over a WebSocket, until it is Finished or the socket is of no more use: whatever goes
 * wrong ends it without a word, since the long polls that follow then will find out what it is. Rejects if the call ends.
 */
export async function* socketStates(
  call: Call,
  id: string,
  options: SocketOptions,
): AsyncGenerator<Job, void, void> {
  const mailbox = new Mailbox(options.clock);
  const socket = openSocket(options, mailbox, () => {
    options.onOpen();
    ask(socket, id);
  });
  if (socket === undefined) return;
  try {
    for (;;) {
      const job = await nextJob(call, mailbox, () => ask(socket, id));
      if (job === undefined) return;
      if (job.id.toLowerCase() === id.toLowerCase()) yield job;
      if (job.state === 'Finished') return;
    }
  } finally {
    socket.close();
  }
}

/** Whether the macaroon's `path` and `method` caveats let a WebSocket be opened. A refused one leaves traces in consoles. */
export function mayOpenSocket(macaroon: string): boolean {
  if (!allowsPath(macaroon, '/ws/export')) return false;
  return (packetsOf(macaroon) ?? []).every(({ text = '' }) => {
    const [, method] = /^method = (.*)$/s.exec(text) ?? [];
    return method === undefined || method.toUpperCase() === 'GET';
  });
}

/** What has come and was not yet taken. */
class Mailbox {
  readonly #clock: ClientClock;
  readonly #jobs: Job[] = [];
  #isOver = false;
  #wake: () => void = () => undefined;

  constructor(clock: ClientClock) {
    this.#clock = clock;
  }

  put(job: Job): void {
    this.#jobs.push(job);
    this.#wake();
  }

  /** Nothing more will come. */
  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  /** The next job, 'silence' if none comes in time, or 'over'. */
  async take(withinMs: number, signal: AbortSignal): Promise<Job | 'silence' | 'over'> {
    if (this.#jobs.length === 0 && !this.#isOver && !signal.aborted) {
      let disarm: () => void = () => undefined;
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
        disarm = this.#clock.after(withinMs, resolve);
      });
      await unlessAborted(signal, woken).catch(() => undefined);
      disarm();
    }
    return this.#jobs.shift() ?? (this.#isOver ? 'over' : 'silence');
  }
}

/** The next job, or `undefined` where there is no more to be had. */
async function nextJob(call: Call, mailbox: Mailbox, question: () => void): Promise<Job | undefined> {
  let taken = await mailbox.take(silenceMs, call.signal);
  call.throwIfEnded();
  if (taken === 'silence') {
    // A connection that died without a word looks like one on which nothing happens.
    question();
    taken = await mailbox.take(answerWithinMs, call.signal);
    call.throwIfEnded();
  }
  return typeof taken === 'string' ? undefined : taken;
}

function openSocket(
  { baseUrl, macaroon, WebSocket }: SocketOptions,
  mailbox: Mailbox,
  onOpen: () => void,
): SocketLike | undefined {
  const protocols = ['export-relay', `macaroon.${macaroon.replace(/=+$/, '')}`];
  let socket: SocketLike;
  try {
    socket = new WebSocket(`${baseUrl.replace(/^http/, 'ws')}/ws/export`, protocols);
  } catch {
    // A page that came over HTTPS may not open one to a relay without.
    return undefined;
  }
  socket.addEventListener('open', onOpen);
  socket.addEventListener('message', (event) => {
    const job = jobIn(event);
    if (job === undefined) mailbox.end();
    else mailbox.put(job);
  });
  socket.addEventListener('close', () => mailbox.end());
  socket.addEventListener('error', () => mailbox.end());
  return socket;
}

function jobIn({ data }: SocketEvent): Job | undefined {
  const document = typeof data === 'string' ? parseObject(data) : undefined;
  if (document === undefined) return undefined;
  const { version, ...raw } = document;
  return readJob(raw, typeof version === 'number' ? version : undefined);
}

function ask(socket: SocketLike | undefined, id: string): void {
  try {
    socket?.send(JSON.stringify({ id }));
  } catch {
    // It has closed; its mailbox will say so.
  }
}
