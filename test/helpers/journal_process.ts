import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Cleanup } from './scripted_destination.js';

/** Another process that uses a journal. */
export class JournalProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #exited: Promise<unknown>;
  #printed = '';

  constructor(t: Cleanup, directory: string, mode: 'busy' | 'idle') {
    const program = fileURLToPath(new URL('./journal_child.js', import.meta.url));
    const argv = [program, directory, mode];
    this.#child = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#printed += text));
    this.#exited = once(this.#child, 'close');
    t.teardown(() => this.kill());
  }

  /** Whole lines printed so far. */
  get lines(): readonly string[] {
    return this.#printed.split('\n').slice(0, -1);
  }

  /** Resolves once it has printed a line that begins so, or has ended. */
  async printed(start: string): Promise<string> {
    for (;;) {
      const line = this.lines.find((one) => one.startsWith(start));
      if (line !== undefined) return line;
      const ended = await Promise.race([
        once(this.#child.stdout, 'data'),
        this.#exited.then(() => undefined),
      ]);
      if (ended === undefined) throw new Error(`it ended without "${start}": ${this.#printed}`);
    }
  }

  /** Resolves once it has ended by itself. */
  async ended(): Promise<void> {
    await this.#exited;
  }

  /** `kill -9`; resolves when it is gone and all it printed has been read. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  stop(): void {
    this.#child.kill('SIGSTOP');
  }
}
