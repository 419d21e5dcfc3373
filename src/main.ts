#!/usr/bin/env node
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { demo } from './cli/demo.js';
import { exitStatus, runCli, type Surroundings } from './cli/command.js';
import { mint } from './cli/mint.js';
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

function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(128 + constants.signals[name]);
      controller.abort(name);
    });
  }
  return controller.signal;
}

const surroundings: Surroundings = {
  env: process.env,
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  stdoutIsTty: isatty(1),
  now: Date.now,
  interruption,
};

exitWith(await runCli(process.argv.slice(2), surroundings, [serve, demo, mint]));
