import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ProbeAnswer, ProbeQuestion, Usage } from './probe.js';

const probeUrl = new URL('./probe.js', import.meta.url).href;

export interface ProgramOptions {
  readonly module: URL;
  readonly argv?: readonly string[];
  /** Where to leave a CPU profile of the process when it ends. */
  readonly profileDir?: string | undefined;
  /** Megabytes, for a process that is to hold much. */
  readonly maxHeapMb?: number;
  /** Whether it can be asked about itself. Default: yes. What is started for its start alone has nothing in it but itself. */
  readonly probed?: boolean | undefined;
}

/** A process of its own, mostly with a probe in it. */
export class Program {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #questions = 0;
  #stderr = '';

  constructor({ module, argv = [], profileDir, maxHeapMb, probed = true }: ProgramOptions) {
    this.#child = fork(fileURLToPath(module), argv, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
      execArgv: [
        ...(probed ? [`--import=${probeUrl}`, '--expose-gc'] : []),
        ...(maxHeapMb === undefined ? [] : [`--max-old-space-size=${maxHeapMb}`]),
        ...(profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`]),
      ],
      // What the caller's environment says about relays is not what is measured.
      env: { PATH: process.env['PATH'] },
    });
    this.#child.setMaxListeners(0);
    this.#exited = once(this.#child, 'exit');
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    running.add(this.#child);
    void this.#exited.then(() => running.delete(this.#child));
  }

  /** The first match in what it prints. From then on its output is read and thrown away, as by a log's collector. */
  printed(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const { stdout } = this.#child;
      if (stdout === null) throw new Error('the process has no output');
      let text = '';
      const onData = (chunk: Buffer): void => {
        text += chunk.toString('latin1');
        const match = pattern.exec(text);
        if (match === null) return;
        stdout.off('data', onData).resume();
        resolve(match);
      };
      stdout.on('data', onData);
      void this.#exited.then(() =>
        reject(new Error(`the process ended without ${String(pattern)}: ${this.#stderr}`)),
      );
    });
  }

  /** Figures about the process; `collect` collects garbage before. */
  async usage({ collect = false } = {}): Promise<Usage> {
    const probe = (this.#questions += 1);
    const answer = this.#next(
      (message): message is ProbeAnswer => isObject(message) && message['probe'] === probe,
    );
    this.#child.send({ probe, collect } satisfies ProbeQuestion);
    return (await answer).usage;
  }

  send(message: object): void {
    this.#child.send(message);
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#child.on('message', listener);
  }

  /** Ends it as an operator does; by force after ten seconds. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await this.#exited;
    clearTimeout(late);
  }

  /** Ends it without letting it know. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  #next<T>(wanted: (message: unknown) => message is T): Promise<T> {
    return new Promise((resolve, reject) => {
      const onMessage = (message: unknown): void => {
        if (!wanted(message)) return;
        this.#child.off('message', onMessage);
        resolve(message);
      };
      this.#child.on('message', onMessage);
      void this.#exited.then(() => reject(new Error(`the process ended: ${this.#stderr}`)));
    });
  }
}

/** A measurement that fails leaves no process behind. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
