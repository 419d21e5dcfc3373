import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

test("the page's tables have every option of the client and of its calls", (t) => {
  const page = readFileSync('docs/client.md', 'utf8');
  const named = [...page.matchAll(/^\| `(\w+)` +\|[^|]*\|$/gm)].map(([, name = '']) => name);
  const optionsIn = (file: string, ...interfaces: readonly string[]): readonly string[] => {
    const source = readFileSync(`src/client/${file}.ts`, 'utf8');
    return interfaces.flatMap((name) => {
      const [, members = ''] =
        new RegExp(`^export interface ${name} .*?\\{\\n(.*?)^\\}`, 'ms').exec(source) ?? [];
      return [...members.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, member = '']) => member);
    });
  };
  const documented = [
    ...optionsIn('options', 'ExportClientOptions').filter((name) => name !== 'clock' && name !== 'random'),
    ...optionsIn('submission', 'SubmitOptions'),
    ...optionsIn('client', 'CallOptions', 'WaitOptions'),
  ];
  t.deepEqual(sorted(named), sorted(documented));
});

function sorted(names: readonly string[]): readonly string[] {
  return [...names].sort((a, b) => a.localeCompare(b));
}
