import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import test from 'ava';
import { docBlocks } from './helpers/doc_blocks.js';
import { startDev } from './helpers/process.js';

const run = promisify(execFile);
const withCurl = spawnSync('curl', ['--version']).status === 0 ? test : test.skip;
const readme = readFileSync('README.md', 'utf8');

interface Step {
  readonly command: string;
  readonly output: string;
}

/** The commands of the README's console block, each with what it is said to print. */
function tour(): readonly Step[] {
  const block = /^```console\n(.*?)^```$/ms.exec(readme)?.[1] ?? '';
  return block
    .trim()
    .split(/\n\n/)
    .map((step) => {
      const [command = '', ...output] = step.split('\n');
      return { command: command.replace(/^\$ /, ''), output: output.join('\n') };
    });
}

/** What differs from run to run, made the same: ids, times, a port. */
function steady(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<id>')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>');
}

withCurl("the README's tour prints what the README says", async (t) => {
  const { env } = await startDev(t);
  const steps = tour();
  t.is(steps.length, 3);
  const documented = /"id":"([^"]+)"/.exec(steps[0]?.output ?? '')?.[1] ?? 'no id';
  let id = documented;
  for (const { command, output } of steps) {
    const { stdout } = await run('bash', ['-c', command.replaceAll(documented, id)], { env });
    t.is(steady(stdout), steady(output));
    if (id === documented) id = /"id":"([^"]+)"/.exec(stdout)?.[1] ?? 'no id';
  }
});

test('every command of the README exists', (t) => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  const named = [...readme.matchAll(/npm (?:run ([\w:]+)|(test|start))/g)].map(
    ([, script, own]) => script ?? own,
  );
  t.true(named.length >= 6);
  for (const name of named) t.true(name !== undefined && name in scripts, name);
  const [first] = docBlocks('README.md');
  const commands = first?.text.split(/ && | +#.*\n/).filter((command) => command !== '');
  t.deepEqual(commands, ['npm ci', 'npm run demo', 'npm ci', 'npm test']);
  // cli/demo.test.ts runs it.
  t.is(scripts['demo'], 'node dist/main.js demo');
});

test('the README mints a macaroon with a command that works', async (t) => {
  const [, line = ''] = /^node dist\/main\.js (mint .*)$/m.exec(readme) ?? [];
  const { stdout } = await run(process.execPath, ['dist/main.js', ...line.split(' ')]);
  const text = Buffer.from(stdout, 'base64url').toString('latin1');
  t.regex(text, /target = export-service/);
  t.regex(text, /destination = https:\/\/example\.com\/in/);
});
