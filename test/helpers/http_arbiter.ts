import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import MacaroonsBuilder from 'macaroons.js/lib/MacaroonsBuilder.js';
import { serverTls, type TestCertificate } from './tls.js';

/**
 * A double of the platform's earlier arbiter: HTTP(S), 401 until registered, the same secret however often it is
 * asked for.
 */
export class HttpArbiter {
  readonly requests: IncomingMessage[] = [];
  readonly secret = randomBytes(32).toString('base64');
  readonly #server: Server;
  readonly #scheme: string;
  readonly #registered = new Set<string>();
  #scripted: RequestListener | undefined;

  private constructor(scheme: 'http' | 'https', certificate: TestCertificate) {
    this.#scheme = scheme;
    const listener: RequestListener = (request, response) => {
      this.requests.push(request);
      (this.#scripted ?? this.#answer)(request, response);
    };
    this.#server =
      scheme === 'http' ? createServer(listener) : createTlsServer(serverTls(certificate), listener);
  }

  static async start(
    scheme: 'http' | 'https',
    port = 0,
    certificate: TestCertificate = 'localhost',
  ): Promise<HttpArbiter> {
    const arbiter = new HttpArbiter(scheme, certificate);
    arbiter.#server.listen(port, '127.0.0.1');
    await once(arbiter.#server, 'listening');
    return arbiter;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get endpoint(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  /** What the platform does when it starts a service. */
  register(apiKey: string): void {
    this.#registered.add(apiKey);
  }

  /** Answers everything like this, until `behave`. */
  answerWith(listener: RequestListener): void {
    this.#scripted = listener;
  }

  /** Answers as an arbiter does, again. */
  behave(): void {
    this.#scripted = undefined;
  }

  /** Mints as that arbiter does: target, path, method, then the caveats that came with the permission. */
  mint(target: string, path: string, method: string, granted: readonly string[] = []): string {
    const identifier = randomBytes(32).toString('base64');
    const builder = new MacaroonsBuilder('https://arbiter:8080', this.secret, identifier);
    for (const caveat of [`target = ${target}`, `path = ${path}`, `method = ${method}`, ...granted]) {
      builder.add_first_party_caveat(caveat);
    }
    return builder.getMacaroon().serialize();
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  readonly #answer: RequestListener = (request, response) => {
    const key = request.headers['x-api-key'];
    if (request.method !== 'GET' || request.url !== '/store/secret') response.writeHead(404).end();
    else if (typeof key !== 'string' || !this.#registered.has(key))
      response.writeHead(401).end('Unauthorized');
    else response.end(this.secret);
  };
}
