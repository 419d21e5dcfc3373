import type { Socket } from 'node:net';
import { openSocket, statusOf } from './client.js';
import { MessageReader } from './message_reader.js';
import { mint, payload, post, submission } from './requests.js';
import { openReceiver, theReceiver } from './state.js';

const lanes = 64;
const data = payload(1024);
/** So many may wait for an answer at once; an app that finds no place gives up, and is counted. */
const maxConnections = 1000;
const tickMs = 5;

/** How often each export has arrived, by its number; known in the process that has the receiver. */
const arrivals = new Map<number, number>();
const accepted = new Set<number>();
const waiting = new Map<number, (atMs: number) => void>();
let numbers = 0;

interface Prepared {
  readonly number: number;
  readonly bytes: Buffer;
}

let macaroons: readonly string[] = [];
let receiverPort = 0;

/** Exports go to this receiver from now on; their numbers begin here. */
export function aimAt(port: number, firstNumber: number): void {
  receiverPort = port;
  numbers = firstNumber;
  macaroons = Array.from({ length: lanes + 1 }, (_, lane) => mint(port, `app-${lane}`));
}

/** Takes account of what arrives here, and gives the port. */
export async function receiveFlood(): Promise<number> {
  aimAt(await openReceiver(), 0);
  theReceiver().onArrival = (path, atMs) => {
    const number = Number(path.slice('/in/'.length));
    arrivals.set(number, (arrivals.get(number) ?? 0) + 1);
    waiting.get(number)?.(atMs);
    waiting.delete(number);
  };
  return receiverPort;
}

/** How many exports have arrived, and when that was so. */
export function arrived(): { readonly count: number; readonly atMs: number } {
  return { count: arrivals.size, atMs: performance.now() };
}

function nextExport(lane?: number): Prepared {
  numbers += 1;
  const body = submission(`http://127.0.0.1:${receiverPort}/in/${numbers}`, data);
  const macaroon = macaroons[lane ?? numbers % lanes] ?? '';
  return { number: numbers, bytes: post({ path: '/export', macaroon, body }) };
}

/** One connection with one request under way at a time. */
class Line {
  readonly #socket: Socket;
  #answer: ((head: string | undefined) => void) | undefined;
  open = true;

  constructor(socket: Socket) {
    this.#socket = socket;
    const reader = new MessageReader(({ head }) => this.#settle(head));
    socket.on('data', (chunk) => reader.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.open = false;
      this.#settle(undefined);
    });
  }

  /** The head of the answer; none if the connection broke. */
  send(bytes: Buffer): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #settle(head: string | undefined): void {
    const answer = this.#answer;
    this.#answer = undefined;
    answer?.(head);
  }
}

/** Milliseconds from the submission until it has arrived, on a lane that nobody else uses; or why not. */
export async function oneExport(port: number): Promise<number | string> {
  const line = new Line(await openSocket(port));
  const { number, bytes } = nextExport(lanes);
  const beganAtMs = performance.now();
  const arrived = new Promise<number>((resolve) => waiting.set(number, resolve));
  const head = await line.send(bytes);
  line.close();
  if (head === undefined || statusOf(head) !== 200) return head?.slice(9, 12) ?? 'broken';
  accepted.add(number);
  return (await arrived) - beganAtMs;
}

/** As many exports a second as get through if each app waits until one has arrived before it submits the next. */
export async function highestRate(port: number, apps: number, durationMs: number): Promise<number> {
  const endsAtMs = performance.now() + durationMs;
  const countedFromMs = endsAtMs - durationMs / 2;
  let counted = 0;
  const work = async (): Promise<void> => {
    const line = new Line(await openSocket(port));
    while (performance.now() < endsAtMs) {
      const { number, bytes } = nextExport();
      const arrived = new Promise<number>((resolve) => waiting.set(number, resolve));
      const head = await line.send(bytes);
      if (head === undefined || statusOf(head) !== 200)
        throw new Error(`unexpected answer: ${head ?? 'none'}`);
      accepted.add(number);
      const atMs = await arrived;
      if (atMs > countedFromMs && atMs < endsAtMs) counted += 1;
    }
    line.close();
  };
  await Promise.all(Array.from({ length: apps }, work));
  return (counted * 1000) / (durationMs / 2);
}

export interface Flooded {
  /** Requests that were due. */
  readonly offered: number;
  /** Of them, not sent because all connections waited for an answer. */
  readonly unplaced: number;
  /** The numbers of those that were. */
  readonly accepted: readonly number[];
  /** 429 and 503 with `Retry-After`. */
  readonly refused: number;
  /** All other answers, and none, by their status. */
  readonly unexpected: readonly (readonly [string, number])[];
}

/** Offers exports at a rate, whatever becomes of those before. */
export async function flood(port: number, perSecond: number, durationMs: number): Promise<Flooded> {
  const [idle, open]: [Line[], Set<Line>] = [[], new Set()];
  const seen = { offered: 0, unplaced: 0, refused: 0 };
  const taken: number[] = [];
  const unexpected = new Map<string, number>();
  let opening = 0;
  const submit = async (): Promise<void> => {
    let line = idle.pop();
    if (line === undefined) {
      opening += 1;
      line = await openSocket(port).then(
        (socket) => new Line(socket),
        () => undefined,
      );
      opening -= 1;
      if (line !== undefined) open.add(line);
    }
    const { number, bytes } = nextExport();
    const head = await line?.send(bytes);
    if (line?.open === true) idle.push(line);
    else if (line !== undefined) open.delete(line);
    const status = head === undefined ? 0 : statusOf(head);
    if (status === 200) taken.push(number);
    else if ((status === 429 || status === 503) && /^retry-after: [1-9]/im.test(head ?? ''))
      seen.refused += 1;
    else unexpected.set(String(status), (unexpected.get(String(status)) ?? 0) + 1);
  };
  const begunAtMs = performance.now();
  for (let nowMs = begunAtMs; nowMs - begunAtMs < durationMs; nowMs = performance.now()) {
    const due = Math.floor(((nowMs - begunAtMs) * perSecond) / 1000);
    for (; seen.offered < due; seen.offered += 1) {
      if (idle.length > 0 || open.size + opening < maxConnections) void submit();
      else seen.unplaced += 1;
    }
    await new Promise((resolve) => setTimeout(resolve, tickMs));
  }
  while (idle.length < open.size) await new Promise((resolve) => setTimeout(resolve, tickMs));
  for (const line of open) line.close();
  return { ...seen, accepted: taken, unexpected: [...unexpected] };
}

/** What became of all that was accepted, here or elsewhere, once it has arrived or the time is over. */
export async function account(
  elsewhere: readonly number[],
  withinMs: number,
): Promise<{ readonly lost: number; readonly twice: number }> {
  const deadlineMs = performance.now() + withinMs;
  const all = [...accepted, ...elsewhere];
  const missing = (): number => all.filter((number) => !arrivals.has(number)).length;
  while (missing() > 0 && performance.now() < deadlineMs) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { lost: missing(), twice: [...arrivals.values()].filter((count) => count > 1).length };
}
