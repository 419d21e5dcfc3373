import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';
import { keepAnswer } from './confidential.js';

/** One request as the destination got it. */
export interface Arrival {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

export type Script = (arrival: Arrival, response: ServerResponse) => void;

/** A real destination on the loopback that does what the test says. */
export class ScriptedDestination {
  readonly arrivals: Arrival[] = [];
  script: Script = (_arrival, response) => response.end('ok');
  readonly #server: Server;
  readonly #watchers = new Set<() => void>();

  constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/in`;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  /** Resolves once `count` requests have arrived in all. */
  arrived(count: number): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.arrivals.length < count) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    } catch {
      // Its client has gone in the middle of it: no request has arrived.
      return;
    }
    const { method = '', url = '', headers, rawHeaders } = request;
    const arrival = { method, path: url, headers, rawHeaders, body: Buffer.concat(chunks) };
    this.arrivals.push(arrival);
    for (const look of this.#watchers) look();
    noteAnswer(response);
    this.script(arrival, response);
  }
}

/** Tells what is answered, where it is answered whole: it must not turn up anywhere. */
function noteAnswer(response: ServerResponse): void {
  const end = response.end.bind(response) as (...parts: readonly unknown[]) => ServerResponse;
  response.end = (...parts: readonly unknown[]) => {
    keepAnswer(parts[0]);
    return end(...parts);
  };
}

/** As much of a test as is needed to release what was opened for it. */
export type Cleanup = Pick<ExecutionContext, 'teardown'>;

/** A destination that stops with the test. */
export async function startDestination(t: Cleanup, script?: Script): Promise<ScriptedDestination> {
  const destination = await new ScriptedDestination().start();
  if (script !== undefined) destination.script = script;
  t.teardown(() => destination.stop());
  return destination;
}
