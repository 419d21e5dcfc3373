import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';

/** One delivery as it arrived. */
export interface Received {
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

/** A destination on this machine, for the demo and for development. */
export interface Receiver {
  readonly url: string;
  close(): Promise<void>;
}

/** Largest delivery it takes, in bytes; the relay's own default. */
const maxBodyBytes = 1024 ** 2;

/** Listens on a free port of the loopback, hands each delivery on, and answers once that has been dealt with. */
export async function startReceiver(
  onDelivery: (received: Received) => void | Promise<void>,
): Promise<Receiver> {
  const server = createServer((request, response) => {
    void receive(request, response, onDelivery);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/inbox`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function receive(
  request: IncomingMessage,
  response: ServerResponse,
  onDelivery: (received: Received) => void | Promise<void>,
): Promise<void> {
  try {
    let body = '';
    for await (const chunk of request.setEncoding('utf8') as AsyncIterable<string>) {
      body += chunk;
      if (body.length > maxBodyBytes) {
        response.writeHead(413, { Connection: 'close' }).end();
        return;
      }
    }
    await onDelivery({ body, headers: request.headers });
    const answer = JSON.stringify({ received: Buffer.byteLength(body) });
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(answer);
  } catch {
    // The sender went away in the middle; there is nobody to answer.
    response.destroy();
  }
}
