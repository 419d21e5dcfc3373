import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { blocksOf } from '../helpers/pages.js';
import { startDev } from '../helpers/process.js';

const run = promisify(execFile);

test('the programs of the page about the client library print what it says', async (t) => {
  // Inside the project, so that its own name leads to it.
  mkdirSync('build', { recursive: true });
  const home = mkdtempSync('build/client-page-');
  t.teardown(() => rmSync(home, { recursive: true }));
  const { env } = await startDev(t);
  const blocks = blocksOf('docs/client.md');
  const programs = blocks.filter(({ language }) => language === 'js');
  t.true(programs.length >= 6);
  t.is(blocks.length, programs.length * 2, 'each program is followed by what it prints');
  await Promise.all(
    programs.map(async ({ text }, index) => {
      const file = join(home, `${index}.js`);
      writeFileSync(file, text);
      const { stdout, stderr } = await run(process.execPath, [file], { env });
      t.is(stdout, blocks[index * 2 + 1]?.text ?? '', text);
      t.is(stderr, '');
    }),
  );
});
