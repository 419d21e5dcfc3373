import { type Server, type Socket, createServer } from 'node:net';
import { request } from 'undici';
import type { ClientClock } from '#relay/client/index.js';
import { type LoopbackServer, listenOnLoopback } from './loopback.js';
import { Peer } from './raw_destination.js';
import type { RelayUnderTest } from './relay.js';
import type { Cleanup } from './scripted_destination.js';

/** What becomes of an answer: whole, or cut after so many bytes by a reset, an end, or silence. */
export type Cut = 'whole' | { readonly afterBytes: number; readonly by: 'reset' | 'end' | 'silence' };

export interface CuttingProxy extends LoopbackServer {
  /** The relay's address through the proxy, under a name of its own, so that every client can be treated apart. */
  readonly urlFor: (name: string) => string;
  /** Size of the longest answer so far, head and all. */
  readonly longestAnswer: () => number;
}

/** Stands between clients and a relay and passes on as much of each answer as `plan` says. It stops with the test. */
export async function startCuttingProxy(
  t: Cleanup,
  relay: RelayUnderTest,
  plan: (name: string, times: number) => Cut,
): Promise<CuttingProxy> {
  const seen = new Map<string, number>();
  let longest = 0;
  const serve = async (socket: Socket): Promise<void> => {
    socket.setNoDelay();
    const peer = new Peer(socket, 0, () => undefined);
    for (;;) {
      const { head, body, idempotencyKey } = await peer.request();
      const [, name = '', path = ''] = /^POST \/([^/]+)(\/\S+)/.exec(head) ?? [];
      const times = (seen.get(name) ?? 0) + 1;
      seen.set(name, times);
      const answer = await forward(relay, path, head, body, idempotencyKey);
      longest = Math.max(longest, answer.length);
      const cut = plan(name, times);
      if (cut === 'whole') {
        peer.send(answer);
        continue;
      }
      peer.send(answer.subarray(0, cut.afterBytes));
      if (cut.by === 'end') peer.end();
      // What was sent has to leave before the connection breaks.
      if (cut.by === 'reset') setImmediate(() => peer.reset());
      return;
    }
  };
  const server: Server = createServer((socket) => void serve(socket).catch(() => socket.destroy()));
  const listening = await listenOnLoopback(server);
  t.teardown(() => listening.close());
  return {
    ...listening,
    urlFor: (name) => `http://127.0.0.1:${listening.port}/${name}`,
    longestAnswer: () => longest,
  };
}

async function forward(
  relay: RelayUnderTest,
  path: string,
  head: string,
  body: string,
  idempotencyKey: string,
): Promise<Buffer> {
  const ifNoneMatch = /^if-none-match: (.*)\r$/im.exec(head)?.[1];
  const response = await request(`${relay.url}${path}`, {
    method: 'POST',
    headers: {
      'x-api-key': /^x-api-key: (.*)\r$/im.exec(head)?.[1] ?? '',
      ...(idempotencyKey === '' ? {} : { 'idempotency-key': idempotencyKey }),
      ...(ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch }),
    },
    body,
  });
  const headers = Object.entries(response.headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
  const status = `HTTP/1.1 ${response.statusCode} Whatever\r\n`;
  return Buffer.from(status + headers.join('') + '\r\n' + (await response.body.text()));
}

/** Real time in which every delay is a hundredth of itself. */
export const hurriedClock: ClientClock = {
  monotonicMs: () => performance.now() * 100,
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs / 100);
    return () => clearTimeout(timer);
  },
};
