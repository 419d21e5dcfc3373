/**
 * In a copy of the project, plays the test files named in each line of the standard input, one after another until one is
 * red. What it is at, and what came of it, goes to the third descriptor: what tests print does not.
 *
 * The modules of the project are loaded anew for each line. A process that is not as it was when the tests have ended,
 * with something still open, ends; one that is says `ready`.
 */
import { writeSync } from 'node:fs';
import { register } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { playDeclared } from './ava.js';

type Word = 'file' | 'red' | 'green' | 'ready';

function report(word: Word, text = ''): void {
  writeSync(3, `${word} ${text.replaceAll('\n', ' ')}\n`);
}

function red(error: unknown): void {
  report('red', error instanceof Error ? error.message : String(error));
}

function redAtOnce(error: unknown): never {
  red(error);
  process.exit(1);
}

/** How much is open, beside the standard input. */
function openThings(): number {
  return process.getActiveResourcesInfo().length - 1;
}

/** Rejects for tests that wait for what cannot come, because nothing is open that could bring it. */
async function playWatched(): Promise<void> {
  let checks = 0;
  let timer: NodeJS.Timeout | undefined;
  const stuck = new Promise<void>((_resolve, reject) => {
    timer = setInterval(() => {
      checks = openThings() === 0 ? checks + 1 : 0;
      if (checks > 10) reject(new Error('it waits for ever'));
    }, 100).unref();
  });
  try {
    await Promise.race([playDeclared(), stuck]);
  } finally {
    clearInterval(timer);
  }
}

async function playAll(files: readonly string[], generation: number): Promise<void> {
  try {
    for (const file of files) {
      report('file', file);
      await import(`${pathToFileURL(join('build/test', file)).href}?generation=${generation}`);
      await playWatched();
    }
    report('green');
  } catch (error) {
    red(error);
  }
}

register('./generations.js', import.meta.url);
process.on('uncaughtException', redAtOnce);
process.on('unhandledRejection', redAtOnce);
let generation = 0;
for await (const line of createInterface({ input: process.stdin })) {
  generation += 1;
  await playAll(line.split(' '), generation);
  await setImmediate();
  await setImmediate();
  if (openThings() > 0) break;
  report('ready');
}
process.exit(0);
