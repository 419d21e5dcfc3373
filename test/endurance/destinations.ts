import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../helpers/free_port.js';
import type { Cleanup } from '../helpers/scripted_destination.js';
import type { Account, Kind } from './account.js';

/** How many origins work: as many lanes has each app there. */
const fineOrigins = 3;
const slowMs = 1000;
const long = 'x'.repeat(8192);

/** A payload of about this many bytes that says which export it is and how much follows. */
export function payloadOf(number: number, bytes: number): string {
  const text = Math.max(0, bytes - 40);
  return `{"export":${number},"length":${text},"text":"${'x'.repeat(text)}"}`;
}

/** Which export it is; 0 if it is not what was submitted. */
function numberOf(body: Buffer): number {
  const [head = '', number, text] =
    /^\{"export":(\d+),"length":(\d+),"text":"/.exec(body.toString('latin1', 0, 64)) ?? [];
  return head.length + Number(text) + 2 === body.length ? Number(number) : 0;
}

/** Destinations on this machine: some that work, and of each way to fail one. */
export class Destinations {
  readonly #urls = new Map<Kind, readonly string[]>();
  readonly #account: Account;

  private constructor(account: Account) {
    this.#account = account;
  }

  static async start(t: Cleanup, account: Account): Promise<Destinations> {
    const destinations = new Destinations(account);
    const kinds: readonly Kind[] = ['fine', 'status500', 'reset', 'slow', 'hang'];
    for (const kind of kinds) {
      const origins = Array.from({ length: kind === 'fine' ? fineOrigins : 1 }, () =>
        destinations.#listen(t, kind),
      );
      destinations.#urls.set(kind, await Promise.all(origins));
    }
    destinations.#urls.set('refused', [`http://127.0.0.1:${await freePort()}/in`]);
    return destinations;
  }

  /** One of that kind; which of several, `turn` decides. */
  url(kind: Kind, turn: number): string {
    const urls = this.#urls.get(kind) ?? [];
    return urls[turn % urls.length] ?? '';
  }

  async #listen(t: Cleanup, kind: Kind): Promise<string> {
    const server: Server = createServer((request, response) => void this.#serve(kind, request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => {
      server.close();
      server.closeAllConnections();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`;
  }

  async #serve(kind: Kind, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    } catch {
      // It broke off in the middle, by a kill or a cancellation: nothing has arrived.
      return;
    }
    const body = Buffer.concat(chunks);
    const number = numberOf(body);
    this.#account.arrived(number, String(request.headers['idempotency-key']), performance.now());
    if (kind === 'hang') return;
    if (kind === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    if (kind === 'slow') await delay(slowMs);
    if (response.destroyed) return;
    // Before it is written: the relay may tell the client of it before this process hears that it was sent.
    this.#account.answered(number, performance.now());
    response.statusCode = kind === 'status500' ? 500 : 200;
    response.end(number % 10 === 0 ? long : 'ok');
  }
}
