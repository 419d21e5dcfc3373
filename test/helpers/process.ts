import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { adminPaths, Confidential, keepMacaroon } from './confidential.js';
import type { Cleanup } from './scripted_destination.js';

/** The binary, running. */
export class RunningProgram {
  stdout = '';
  stderr = '';
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #exited: Promise<number | null>;

  constructor(t: Cleanup, argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const inherited = {
      PATH: process.env['PATH'] ?? '',
      NODE_V8_COVERAGE: process.env['NODE_V8_COVERAGE'] ?? '',
    };
    this.#child = spawn(process.execPath, ['dist/main.js', ...argv], { env: { ...inherited, ...env } });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.#exited = once(this.#child, 'close').then(([status]) => status as number | null);
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const confidential = argv[0] === 'serve' ? new Confidential([...argv, ...variables]) : undefined;
    t.teardown(async () => {
      const running = this.#child.exitCode === null && this.#child.signalCode === null;
      const adminUrl = /^admin listening on (\S+)$/m.exec(this.stdout)?.[1];
      if (running) await confidential?.seeAdmin(adminUrl, adminPaths);
      this.#child.kill('SIGKILL');
      await this.#exited;
      confidential?.see('what it printed', this.#printed(argv.includes('--dev')));
      await confidential?.look();
    });
  }

  /** With `--dev` it shows its macaroon on purpose, ready to be copied: on plain lines, never in the log. */
  #printed(dev: boolean): string {
    if (!dev) return this.stdout + this.stderr;
    for (const [, token = ''] of this.stdout.matchAll(/^ *KEY=([\w-]+)$/gm)) keepMacaroon(token);
    return `${this.stdout.replaceAll(/^(?!\{).*\n/gm, '')}${this.stderr}`;
  }

  kill(signal: 'SIGTERM' | 'SIGINT' | 'SIGUSR2'): void {
    this.#child.kill(signal);
  }

  /** The exit status, `null` if a signal ended it. */
  exited(): Promise<number | null> {
    return this.#exited;
  }

  /** The first match in what it has printed so far or prints later. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stdout);
      if (match !== null) return match;
      const ended = await Promise.race([once(this.#child.stdout, 'data'), this.#exited]);
      if (!Array.isArray(ended))
        throw new Error(`it ended (${String(ended)}) without ${String(pattern)}: ${this.stderr}`);
    }
  }
}

/** `serve --dev`, and the variables of a shell into which the first lines of what it prints were pasted. */
export async function startDev(
  t: Cleanup,
  ...flags: readonly string[]
): Promise<{ readonly program: RunningProgram; readonly env: Readonly<Record<string, string>> }> {
  const program = new RunningProgram(t, ['serve', '--dev', '--port=0', ...flags]);
  const [, pasted = ''] = await program.printed(/^Paste these .*\n\n([^]*?)\n\n/m);
  const shell = spawn('bash', ['-euc', `${pasted}\nenv -0`], { env: { PATH: process.env['PATH'] ?? '' } });
  let said = '';
  shell.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  await once(shell, 'close');
  const variables: Record<string, string> = {};
  for (const [, name = '', value = ''] of said.matchAll(/([A-Z_]+)=([^\0]*)\0/g)) variables[name] = value;
  return { program, env: variables };
}
