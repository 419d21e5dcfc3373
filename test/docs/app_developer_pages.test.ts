import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'ava';
import { jobErrorTable, problemTable, ruleTable } from '#relay/openapi/tables.js';
import { docBlocks, docSteps, runSteps, steady } from '../helpers/doc_blocks.js';
import { startDev } from '../helpers/process.js';

const withCurl = spawnSync('curl', ['--version']).status === 0 ? test : test.skip;

for (const page of ['docs/macaroons.md', 'docs/errors.md', 'docs/migration.md']) {
  withCurl(`every block of ${page} runs and prints what the page says`, async (t) => {
    const { env } = await startDev(t, '--secret=s3cret', '--attempts=1');
    const steps = docSteps(docBlocks(page));
    t.true(steps.length > 0);
    const printed = await runSteps(steps, env);
    t.is(printed.length, steps.length);
    for (const [index, { command, output, line }] of steps.entries()) {
      t.is(steady(printed[index] ?? ''), steady(output), `${page}, line ${line}: ${command}`);
    }
  });
}

test('docs/errors.md has every problem, every rule of the policy and every error of a job; if not, npm run docs writes them', (t) => {
  const page = readFileSync('docs/errors.md', 'utf8');
  t.true(page.includes(`\n${problemTable()}`));
  t.true(page.includes(`\n${ruleTable()}`));
  t.true(page.includes(`\n${jobErrorTable()}`));
});

test('links between the pages lead somewhere', (t) => {
  for (const page of ['docs/macaroons.md', 'docs/errors.md', 'docs/migration.md']) {
    for (const [, target = ''] of readFileSync(page, 'utf8').matchAll(/\]\((\w+\.md)\)/g)) {
      t.notThrows(() => readFileSync(`docs/${target}`), `${page} → ${target}`);
    }
  }
});
