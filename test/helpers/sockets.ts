import { once } from 'node:events';
import { WebSocket } from 'ws';
import { keepMacaroon, keepSubmission } from './confidential.js';
import { eventually } from './eventually.js';
import { type JobJson, type RelayUnderTest, mint } from './relay.js';
import type { Cleanup } from './scripted_destination.js';

/** What a frame of the relay may hold: a job and its version, or a problem. */
export type FrameJson = JobJson & {
  readonly version?: number;
  readonly ref?: string;
  readonly status?: number;
  readonly retry_after?: number;
};

export interface SocketOptions {
  readonly macaroon?: string;
  /** Instead of the macaroon in `X-Api-Key`. */
  readonly headers?: Record<string, string>;
  readonly protocols?: string[];
  readonly autoPong?: boolean;
}

/** A client of `/ws/export`, with every frame it was sent. */
export class ClientSocket {
  readonly ws: WebSocket;
  readonly frames: FrameJson[] = [];
  /** Code and reason, once closed. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;

  constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on('message', (data: Buffer) => this.frames.push(JSON.parse(data.toString()) as FrameJson));
    this.closed = new Promise((resolve) => {
      ws.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
  }

  send(frame: unknown): void {
    keepSubmission(frame);
    this.ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** The frames about one job, in the order they came. */
  about(id: string): FrameJson[] {
    return this.frames.filter((frame) => frame.id === id);
  }

  /** The first frame that is so, once it is there. */
  async frame(condition: (frame: FrameJson) => boolean): Promise<FrameJson> {
    await eventually(() => this.frames.some(condition));
    const found = this.frames.find(condition);
    if (found === undefined) throw new Error('the frame has gone');
    return found;
  }

  /** Sends a frame and gives its answer, told apart by a `ref` of its own. */
  ask(frame: Record<string, unknown>): Promise<FrameJson> {
    const ref = `ask-${Math.random()}`;
    this.send({ ...frame, ref });
    return this.frame((answer) => answer.ref === ref);
  }
}

/** Begins to open a socket that breaks with the test. */
export function dial(t: Cleanup, relay: RelayUnderTest, options: SocketOptions = {}): ClientSocket {
  const { macaroon = mint(), headers = { 'x-api-key': macaroon }, protocols = [], autoPong = true } = options;
  keepMacaroon(macaroon);
  const url = `${relay.url.replace('http', 'ws')}/ws/export`;
  const ws = new WebSocket(url, protocols, { headers, autoPong, perMessageDeflate: true });
  ws.on('error', () => undefined);
  t.teardown(() => ws.terminate());
  return new ClientSocket(ws);
}

/** An open socket. */
export async function openSocket(
  t: Cleanup,
  relay: RelayUnderTest,
  options?: SocketOptions,
): Promise<ClientSocket> {
  const client = dial(t, relay, options);
  await once(client.ws, 'open');
  return client;
}

/** What the relay answers to a handshake that it refuses. */
export async function refusedHandshake(
  t: Cleanup,
  relay: RelayUnderTest,
  options?: SocketOptions,
): Promise<{ readonly status: number | undefined; readonly json: JobJson }> {
  const { ws } = dial(t, relay, options);
  return new Promise((resolve, reject) => {
    ws.once('open', () => reject(new Error('the handshake was accepted')));
    ws.once('unexpected-response', (_request, response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('end', () => resolve({ status: response.statusCode, json: JSON.parse(text) as JobJson }));
    });
  });
}
