import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

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
  readonly environment?: Readonly<Record<string, string>>;
}

/** A copy of the project whose compiled code may be changed at will. */
export class Sandbox {
  readonly directory = mkdtempSync(join(tmpdir(), 'mutants-'));

  constructor() {
    for (const name of readdirSync('.')) {
      if (!/^(?:dist|build|coverage|node_modules|package\.json|\.git)$/.test(name)) {
        symlinkSync(resolve(name), join(this.directory, name));
      }
    }
    for (const name of ['package.json', 'dist', 'build/test', 'build/bench']) {
      cpSync(name, join(this.directory, name), { recursive: true });
    }
    // The tests find everything where it is but ava, in whose place something smaller stands.
    const modules = join(this.directory, 'node_modules');
    mkdirSync(join(modules, 'ava'), { recursive: true });
    for (const name of readdirSync('node_modules')) {
      if (name !== 'ava') symlinkSync(resolve('node_modules', name), join(modules, name));
    }
    writeFileSync(join(modules, 'ava/package.json'), '{"type":"module","exports":"./index.js"}');
    const ava = JSON.stringify(join(this.directory, 'build/test/mutation/ava.js'));
    writeFileSync(join(modules, 'ava/index.js'), `export { default } from ${ava};\n`);
  }

  read(file: string): string {
    return readFileSync(join(this.directory, 'dist', file), 'utf8');
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.directory, 'dist', file), text);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** In a process, and a group of processes, of its own: a mutant may do anything. */
  async play({ files, timeoutMs, environment = {} }: PlayOptions): Promise<Played> {
    const begunAtMs = performance.now();
    const program = ['--max-old-space-size=512', 'build/test/mutation/play.js', ...files];
    const child = spawn(process.execPath, program, {
      cwd: this.directory,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
      detached: true,
      env: { ...process.env, ...environment },
    });
    const watch = new Watch(timeoutMs, () => killGroup(child));
    child.stdio[3]?.on('data', (chunk: Buffer) => watch.read(chunk.toString()));
    const exited = once(child, 'exit');
    const closed = once(child, 'close');
    const [code] = (await exited) as [number | null];
    killGroup(child);
    await closed;
    return watch.end(code, performance.now() - begunAtMs);
  }
}

/** Follows what play.ts reports, and gives every file its time. */
class Watch {
  readonly #timeoutMs: PlayOptions['timeoutMs'];
  readonly #kill: () => void;
  #file = '';
  #test = '';
  #isLate = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: PlayOptions['timeoutMs'], kill: () => void) {
    this.#timeoutMs = timeoutMs;
    this.#kill = kill;
  }

  read(lines: string): void {
    for (const line of lines.split('\n')) {
      if (line.startsWith('red ')) this.#test = line.slice(4);
      if (line.startsWith('file ')) this.#begin(line.slice(5));
    }
  }

  end(code: number | null, ms: number): Played {
    clearTimeout(this.#timer);
    if (this.#isLate) return { kind: 'timeout', file: this.#file };
    return code === 0 ? { kind: 'green', ms } : { kind: 'red', file: this.#file, test: this.#test };
  }

  #begin(file: string): void {
    this.#file = file;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#isLate = true;
      this.#kill();
    }, this.#timeoutMs(file));
  }
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended, and so has everything that it started.
  }
}
