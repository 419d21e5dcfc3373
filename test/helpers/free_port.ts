import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that systems hand out themselves, so that no connection of another test takes one of these. */
const range = { from: 10_000, to: 32_000 };

/** A port of the loopback at which nobody listens. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = range.from + Math.floor(Math.random() * (range.to - range.from));
    const server = createServer();
    const taken = Symbol();
    server.listen(port, '127.0.0.1');
    const answer: unknown = await once(server, 'listening').catch(() => taken);
    if (answer === taken) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
