import { Client, openSocket, statusOf } from './client.js';
import { MessageReader } from './message_reader.js';

export interface HammerOptions {
  readonly port: number;
  readonly connections: number;
  /** Sent over and over, in turn. */
  readonly requests: readonly Uint8Array[];
  /** Ends when the time is over or the requests are used up, whatever comes first. */
  readonly durationMs?: number;
  readonly count?: number;
  readonly expectedStatus?: number;
}

export interface Hammered {
  readonly answered: number;
  readonly durationMs: number;
}

/**
 * Sends requests over each connection, the next as soon as the one before is answered, as fast as the server goes.
 * Fails if an answer has another status than expected: what is refused is not worth measuring.
 */
export async function hammer(options: HammerOptions): Promise<Hammered> {
  const { port, connections, durationMs = Infinity, count = Infinity, expectedStatus = 200 } = options;
  const requests = options.requests.map((request) => Buffer.from(request));
  const sockets = await Promise.all(Array.from({ length: connections }, () => openSocket(port)));
  const startedAtMs = performance.now();
  let sent = 0;
  let answered = 0;
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((resolve, reject) => {
          const next = (): void => {
            if (sent >= count || performance.now() - startedAtMs >= durationMs) {
              resolve();
              return;
            }
            const request = requests[sent % requests.length];
            sent += 1;
            if (request !== undefined) socket.write(request);
          };
          const reader = new MessageReader(({ head }) => {
            if (statusOf(head) !== expectedStatus) reject(new Error(`unexpected answer: ${head}`));
            answered += 1;
            next();
          });
          socket.on('data', (chunk) => reader.push(chunk));
          socket.on('error', reject);
          next();
        }),
    ),
  );
  const tookMs = performance.now() - startedAtMs;
  for (const socket of sockets) socket.destroy();
  return { answered, durationMs: tookMs };
}

/** Submits one job on a connection of its own, and gives its id. */
export async function submitOne({
  port,
  request,
}: {
  readonly port: number;
  readonly request: Uint8Array;
}): Promise<string> {
  const client = await Client.open(port);
  const { status, body } = await client.send(Buffer.from(request));
  client.close();
  const id = /"id":"([^"]+)"/.exec(body)?.[1];
  if (status !== 200 || id === undefined) throw new Error(`the submission was answered ${status} ${body}`);
  return id;
}
