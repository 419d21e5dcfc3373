/**
 * `node play.js FILE…`, in a copy of the project: plays test files one after another until one is red. Ends with status
 * 0 if none is. What it is at, and which test was red, goes to the third descriptor: what tests print does not.
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { playDeclared } from './ava.js';

function report(word: 'file' | 'red', text: string): void {
  writeSync(3, `${word} ${text}\n`);
}

function red(error: unknown): never {
  report('red', error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error));
  process.exit(1);
}

process.on('uncaughtException', red);
process.on('unhandledRejection', red);
let done = false;
// A test that waits for what cannot come any more.
process.on('exit', () => {
  if (!done) process.exitCode = 1;
});
for (const file of process.argv.slice(2)) {
  report('file', file);
  await import(pathToFileURL(join('build/test', file)).href).then(playDeclared, red).catch(red);
}
done = true;
process.exit(0);
