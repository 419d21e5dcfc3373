import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { CommandContext } from '#relay/cli/command.js';

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the binary that ships, with exactly this environment, until it ends. */
export async function runBinary(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const child = spawn(process.execPath, ['dist/main.js', ...argv], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  await once(child, 'close');
  return { status: child.exitCode, stdout, stderr };
}

/** A command's surroundings without a process: what it writes is collected, the clock stands still. */
export function standIn({
  argv = [],
  env = {},
  nowMs = Date.UTC(2030, 0, 31, 12),
  stdin = '',
  columns,
}: Partial<Pick<CommandContext, 'argv' | 'env'>> & {
  readonly nowMs?: number;
  readonly stdin?: string | Uint8Array;
  /** Makes stderr a terminal of this width. */
  readonly columns?: number;
} = {}): {
  readonly context: CommandContext;
  readonly written: { stdout: string; stderr: string };
} {
  const written = { stdout: '', stderr: '' };
  const context: CommandContext = {
    argv,
    env,
    stdout: (text) => (written.stdout += text),
    stderr: (text) => (written.stderr += text),
    stdoutIsTty: false,
    stdin: () => Promise.resolve(stdin.toString()),
    stdinBytes: () => Promise.resolve(Buffer.from(stdin)),
    stderrColumns: () => columns,
    now: () => nowMs,
    interruption: () => new AbortController().signal,
    onBug: () => undefined,
  };
  return { context, written };
}
