#!/usr/bin/env node
import { constants } from 'node:os';
import { buffer, text } from 'node:stream/consumers';
import { isatty } from 'node:tty';
import { type Commands, exitStatus, runCli, type Surroundings } from './cli/command.js';

// A reader that has gone (`| head`) is no error; output that is lost for another reason is.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return;
  process.stderr.write(`export-relay: cannot write to the standard output: ${error.message}\n`);
  exitWith(exitStatus.failed);
});
process.stderr.on('error', () => {
  // There is nowhere left to say so.
});

/** Once everything is written and closed; the first failure counts. */
function exitWith(status: number): void {
  if (process.exitCode === undefined || process.exitCode === 0) process.exitCode = status;
}

// A file that may grow no further (`ulimit -f`) ends a process by default; this way the write fails and is reported.
process.on('SIGXFSZ', () => undefined);

const interrupted = new AbortController();

function interruption(): AbortSignal {
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (interrupted.signal.aborted) process.exit(128 + constants.signals[name]);
      interrupted.abort(name);
    });
  }
  return interrupted.signal;
}

/** For what is written last, when a bug ends the process or whoever reads the output has stopped reading. */
const lastWordsMs = 1000;

function onBug(report: (error: unknown) => void): void {
  let ending = false;
  // Rejections that nobody handles arrive here too.
  process.on('uncaughtException', (error) => {
    if (ending) return;
    ending = true;
    process.exitCode = exitStatus.failed;
    setTimeout(() => process.exit(), lastWordsMs);
    report(error);
    process.stdout.write('', () => process.exit());
  });
}

const commands: Commands = new Map([
  ['serve', async () => (await import('./cli/serve.js')).serve],
  ['demo', async () => (await import('./cli/demo.js')).demo],
  ['mint', async () => (await import('./cli/mint.js')).mint],
  ['inspect', async () => (await import('./cli/inspect.js')).inspect],
  ['attenuate', async () => (await import('./cli/attenuate.js')).attenuate],
  ['send', async () => (await import('./cli/send.js')).send],
  ['audit', async () => (await import('./cli/audit.js')).audit],
]);

const surroundings: Surroundings = {
  env: process.env,
  stdout: (written, taken) => process.stdout.write(written, taken),
  stderr: (written) => process.stderr.write(written),
  stdoutIsTty: isatty(1),
  stdin: () => text(process.stdin),
  stdinBytes: () => buffer(process.stdin),
  stderrColumns: () =>
    isatty(2) && process.env['TERM'] !== 'dumb' ? process.stderr.columns || 80 : undefined,
  now: Date.now,
  interruption,
  onBug,
};

exitWith(await runCli(process.argv.slice(2), surroundings, commands));
// Output that nobody reads would keep the process alive; who has asked it to stop is not kept waiting for that.
if (interrupted.signal.aborted) setTimeout(() => process.exit(), lastWordsMs).unref();
