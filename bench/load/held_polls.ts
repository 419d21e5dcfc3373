import { type Socket } from 'node:net';
import { Client, openSocket, statusOf } from './client.js';
import { MessageReader } from './message_reader.js';
import { theReceiver } from './state.js';

let sockets: Socket[] = [];
let answered: Promise<unknown> = Promise.resolve();

/** Connections that are opened at once. */
const batch = 100;

/** Opens connections that rest: what they cost is no matter of long polls. */
export async function hold({
  port,
  count,
}: {
  readonly port: number;
  readonly count: number;
}): Promise<void> {
  for (const socket of sockets) socket.destroy();
  sockets = [];
  while (sockets.length < count) {
    const more = Math.min(batch, count - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: more }, () => openSocket(port)))));
  }
}

/** Sends a long poll over each of them, and resolves once all are sent. */
export async function startHolding({ request }: { readonly request: Uint8Array }): Promise<void> {
  const bytes = Buffer.from(request);
  answered = Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((resolve, reject) => {
          const reader = new MessageReader(({ head }) => {
            if (statusOf(head) === 200) resolve();
            else reject(new Error(`unexpected answer: ${head}`));
          });
          socket.on('data', (chunk) => reader.push(chunk));
          socket.on('close', () => reject(new Error('the server closed a long poll')));
        }),
    ),
  );
  answered.catch(() => undefined);
  await Promise.all(
    sockets.map((socket) => new Promise<void>((resolve) => socket.write(bytes, () => resolve()))),
  );
}

/** Lets the destination answer, and gives the milliseconds until the last long poll was answered. */
export async function releaseHeld(): Promise<number> {
  const startedAtMs = performance.now();
  theReceiver().release();
  await answered;
  return performance.now() - startedAtMs;
}

/** Milliseconds that each of `count` requests took, sent one every `everyMs` whether or not the last is answered. */
export async function paced(options: {
  readonly port: number;
  readonly request: Uint8Array;
  readonly count: number;
  readonly everyMs: number;
}): Promise<readonly number[]> {
  const { port, count, everyMs } = options;
  const request = Buffer.from(options.request);
  const idle: Client[] = [];
  const latencies: number[] = [];
  const askOnce = async (): Promise<void> => {
    const client = idle.pop() ?? (await Client.open(port));
    const sentAtMs = performance.now();
    const { status } = await client.send(request);
    if (status !== 200) throw new Error(`the relay answered ${status}`);
    latencies.push(performance.now() - sentAtMs);
    idle.push(client);
  };
  const asked: Promise<void>[] = [];
  for (let at = 0; at < count; at += 1) {
    asked.push(askOnce());
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  await Promise.all(asked);
  for (const client of idle) client.close();
  return latencies;
}
