import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** What came of playing test files. */
export type Played =
  | { readonly kind: 'green'; readonly ms: number }
  | { readonly kind: 'red'; readonly file: string; readonly test: string }
  | { readonly kind: 'timeout'; readonly file: string };

export interface PlayOptions {
  /** Below build/test, such as `macaroon/token.test.js`. */
  readonly files: readonly string[];
  /** How long one of them may take. */
  readonly timeoutMs: (file: string) => number;
}

/** Modules that were loaded once stay in memory. */
const roundsOfOneProcess = 50;

/** A process, in a group of its own, that plays tests: see play.ts. A mutant may do anything to it. */
export class Player {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #rounds = 0;
  #rest = '';
  #onLine: (word: string, text: string) => void = () => undefined;

  constructor(directory: string, environment: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, ['--max-old-space-size=1024', 'build/test/mutation/play.js'], {
      cwd: directory,
      stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
      detached: true,
      env: { ...process.env, ...environment },
    });
    this.#exited = once(this.#child, 'exit');
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stdio[3]?.on('data', (chunk: Buffer) => this.#read(chunk.toString()));
  }

  /** Whether it can be used again after its last round. */
  get isFit(): boolean {
    return (
      this.#rounds < roundsOfOneProcess && this.#child.exitCode === null && this.#child.signalCode === null
    );
  }

  async play({ files, timeoutMs }: PlayOptions): Promise<Played> {
    const begunAtMs = performance.now();
    this.#rounds += 1;
    let file = '';
    let timer: NodeJS.Timeout | undefined;
    let played: Played | undefined;
    const ready = new Promise<void>((resolve) => {
      this.#onLine = (word, text) => {
        if (word === 'red') played = { kind: 'red', file, test: text };
        if (word === 'green') played = { kind: 'green', ms: performance.now() - begunAtMs };
        if (word === 'ready') resolve();
        if (word !== 'file') return;
        file = text;
        clearTimeout(timer);
        timer = setTimeout(() => {
          played ??= { kind: 'timeout', file };
          this.kill();
        }, timeoutMs(file));
      };
    });
    this.#child.stdin?.write(`${files.join(' ')}\n`);
    await Promise.race([ready, this.#exited]);
    clearTimeout(timer);
    if (!this.isFit) this.kill();
    return played ?? { kind: 'red', file, test: 'the process ended' };
  }

  /** Lets it end by itself, which is when it writes what it covered. */
  async end(): Promise<void> {
    this.#child.stdin?.end();
    await this.#exited;
    this.kill();
  }

  /** With everything that it started. */
  kill(): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      // All have ended.
    }
  }

  #read(text: string): void {
    const lines = `${this.#rest}${text}`.split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const [word = ''] = line.split(' ', 1);
      this.#onLine(word, line.slice(word.length + 1));
    }
  }
}
