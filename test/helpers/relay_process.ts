import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { adminPaths, Confidential } from './confidential.js';
import type { Order, OrderReport } from './interposer.js';
import { secret } from './relay.js';
import type { Cleanup } from './scripted_destination.js';

export interface RelayProcessOptions {
  readonly journal?: string;
  readonly flags?: readonly string[];
  /** For the engine. */
  readonly nodeFlags?: readonly string[];
  /** Shell commands in whose process the relay then runs, such as `ulimit -n 64`. */
  readonly shell?: string;
  /** Puts the interposer between the relay and the system. */
  readonly interposed?: boolean;
  readonly logLevel?: 'error' | 'info';
  /** Whether the macaroons' secret is given; else the flags say where it comes from. */
  readonly withSecret?: boolean;
}

/** How a process ended. */
export interface Exit {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** `serve` as it ships, in a process of its own, with production settings and destinations on the loopback allowed. */
export class RelayProcess {
  readonly startedAtMs = performance.now();
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;
  readonly #exited: Promise<Exit>;
  readonly #confidential: Confidential;

  private constructor(options: RelayProcessOptions) {
    const { interposed = false, nodeFlags = [], shell } = options;
    const interposer = fileURLToPath(new URL('./interposer.js', import.meta.url));
    const engine = [...nodeFlags, ...(interposed ? [`--import=${interposer}`] : [])];
    const flags = flagsOf(options);
    this.#confidential = new Confidential(flags);
    const argv = [process.execPath, ...engine, 'dist/main.js', 'serve', ...flags];
    const [command = '', ...args] =
      shell === undefined ? argv : ['sh', '-c', `${shell}; exec "$@"`, 'sh', ...argv];
    this.#child = spawn(command, args, {
      env: { PATH: process.env['PATH'] ?? '' },
      stdio: ['ignore', 'pipe', 'pipe', ...(interposed ? (['ipc'] as const) : [])],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.#exited = once(this.#child, 'close').then(([status, signal]) => ({
      status: status as number | null,
      signal: signal as NodeJS.Signals | null,
      stderr: this.stderr,
    }));
  }

  /** Starts it and does not wait. */
  static spawn(t: Cleanup, options: RelayProcessOptions = {}): RelayProcess {
    const relay = new RelayProcess(options);
    t.teardown(() => relay.#killAndLook());
    return relay;
  }

  /** Starts it and resolves once it listens. */
  static async start(t: Cleanup, options: RelayProcessOptions = {}): Promise<RelayProcess> {
    const relay = RelayProcess.spawn(t, options);
    await relay.printed(/^admin listening on \S+\n/m);
    return relay;
  }

  get url(): string {
    return /^listening on (\S+)$/m.exec(this.stdout)?.[1] ?? '';
  }

  get adminUrl(): string {
    return /^admin listening on (\S+)$/m.exec(this.stdout)?.[1] ?? '';
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves once it has printed this; rejects if it ends before. */
  async printed(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.stdout)) {
      const ended = await Promise.race([
        once(this.#child.stdout ?? this.#child, 'data').then(() => false),
        this.#exited.then(() => true),
      ]);
      if (ended && !pattern.test(this.stdout)) throw new Error(`it ended: ${this.stderr}${this.stdout}`);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  exited(): Promise<Exit> {
    return this.#exited;
  }

  /** `kill -9`; resolves when it is gone. */
  async kill(): Promise<Exit> {
    this.#child.kill('SIGKILL');
    return this.#exited;
  }

  async #killAndLook(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      await this.#confidential.seeAdmin(this.adminUrl, adminPaths);
    }
    await this.kill();
    this.#confidential.see('what it printed', this.stdout + this.stderr);
    await this.#confidential.look();
  }

  /** SIGTERM; resolves to how it ended and after how long. */
  async stop(): Promise<Exit & { readonly afterMs: number }> {
    const sentAtMs = performance.now();
    this.#child.kill('SIGTERM');
    const exit = await this.#exited;
    return { ...exit, afterMs: performance.now() - sentAtMs };
  }

  /** Gives the interposer an order; resolves once it is carried out. */
  async order(order: Order): Promise<OrderReport> {
    const answered = once(this.#child, 'message');
    this.#child.send(order);
    const [report] = (await answered) as [OrderReport];
    return report;
  }

  /** How many files and sockets it has open. */
  async descriptors(): Promise<number> {
    return (await readdir(`/proc/${this.pid}/fd`)).length;
  }

  /** Resident memory, in bytes: now, and at most since the start. */
  async memory(): Promise<{ readonly rss: number; readonly peak: number }> {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8');
    const kb = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
    return { rss: kb('VmRSS') * 1024, peak: kb('VmHWM') * 1024 };
  }
}

function flagsOf({
  journal,
  flags = [],
  withSecret = true,
  logLevel = 'error',
}: RelayProcessOptions): readonly string[] {
  return [
    '--host=127.0.0.1',
    '--port=0',
    '--allow-http',
    '--allow-network=127.0.0.0/8',
    `--log-level=${logLevel}`,
    ...(withSecret ? [`--secret=${secret}`] : []),
    ...(journal === undefined ? [] : [`--journal=${journal}`]),
    ...flags,
  ];
}
