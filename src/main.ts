#!/usr/bin/env node
import { constants } from 'node:os';
import { buffer, text } from 'node:stream/consumers';
import { isatty } from 'node:tty';
import { attenuate } from './cli/attenuate.js';
import { audit } from './cli/audit.js';
import { demo } from './cli/demo.js';
import { exitStatus, runCli, type Surroundings } from './cli/command.js';
import { inspect } from './cli/inspect.js';
import { mint } from './cli/mint.js';
import { send } from './cli/send.js';
import { serve } from './cli/serve.js';

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

exitWith(
  await runCli(process.argv.slice(2), surroundings, [serve, demo, mint, inspect, attenuate, send, audit]),
);
// Output that nobody reads would keep the process alive; who has asked it to stop is not kept waiting for that.
if (interrupted.signal.aborted) setTimeout(() => process.exit(), lastWordsMs).unref();
