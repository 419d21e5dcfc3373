import { secret } from '../load/requests.js';
import type { Posted, Posting } from '../yardsticks/undici_posts.js';
import { Program } from './program.js';

export interface Server {
  readonly program: Program;
  readonly port: number;
}

export interface ServerOptions {
  /** Where to leave CPU profiles. */
  readonly profileDir?: string | undefined;
}

export interface RelayOptions extends ServerOptions {
  /** Whether it can be asked for figures; default: yes. */
  readonly probed?: boolean | undefined;
}

/**
 * The relay as its users start it, with every default but these: it may reach receivers on this machine, and it takes
 * more jobs at once than any measurement submits. It logs a line for each request, attempt and job, as always.
 */
export async function startRelay(
  flags: readonly string[] = [],
  { profileDir, probed }: RelayOptions = {},
): Promise<Server> {
  const program = new Program({
    module: new URL('../../../dist/main.js', import.meta.url),
    argv: [
      'serve',
      '--port=0',
      '--host=127.0.0.1',
      `--secret=${secret}`,
      '--allow-http',
      '--allow-network=127.0.0.0/8',
      '--max-queued=10000000',
      '--max-queued-per-lane=10000000',
      '--max-memory=4gb',
      ...flags,
    ],
    profileDir,
    probed,
    maxHeapMb: 4096,
  });
  const [, port] = await program.printed(/listening on http:\/\/127\.0\.0\.1:(\d+)\n/);
  return { program, port: Number(port) };
}

/** A Koa application that answers every request with these bytes. */
export async function startBareKoa(
  answer: string,
  etag: string,
  { profileDir }: ServerOptions = {},
): Promise<Server> {
  const module = new URL('../yardsticks/bare_koa.js', import.meta.url);
  const program = new Program({ module, argv: [answer, etag], profileDir });
  const [, port] = await program.printed(/listening on (\d+)\n/);
  return { program, port: Number(port) };
}

/** Koa and undici with nothing between them: `connections` to each destination. */
export async function startForwarder(
  connections: number,
  { profileDir }: ServerOptions = {},
): Promise<Server> {
  const module = new URL('../yardsticks/forwarder.js', import.meta.url);
  const program = new Program({ module, argv: [String(connections)], profileDir });
  const [, port] = await program.printed(/listening on (\d+)\n/);
  return { program, port: Number(port) };
}

/** A process that POSTs with undici. */
export class UndiciPosts {
  readonly program: Program;
  #postings = 0;

  private constructor(program: Program) {
    this.program = program;
  }

  static async start(): Promise<UndiciPosts> {
    const module = new URL('../yardsticks/undici_posts.js', import.meta.url);
    const program = new Program({ module });
    await program.printed(/ready/);
    return new UndiciPosts(program);
  }

  /** Milliseconds until the last answer was read. */
  async post(posting: Omit<Posting, 'posting'>): Promise<number> {
    const number = (this.#postings += 1);
    const posted = new Promise<number>((resolve) => {
      this.program.onMessage((message) => {
        if (isPosted(message) && message.posting === number) resolve(message.durationMs);
      });
    });
    this.program.send({ ...posting, posting: number } satisfies Posting);
    return posted;
  }
}

function isPosted(message: unknown): message is Posted {
  return typeof message === 'object' && message !== null && 'posting' in message && 'durationMs' in message;
}
