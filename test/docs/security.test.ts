import { existsSync, readFileSync } from 'node:fs';
import test from 'ava';

const page = readFileSync('docs/security.md', 'utf8');
const files = [...page.matchAll(/`((?:src|test|docs|scripts)\/[^`\s]+)`/g)].map(([, file = '']) => file);

test('every file that the page on security names is there', (t) => {
  t.true(files.length > 60);
  for (const file of files) t.true(existsSync(file), file);
});

test('every row of a table of threats names a defence and a test that proves it', (t) => {
  const rows = page.split('\n').filter((line) => /^\| [A-Z]\d+ /.test(line));
  t.true(rows.length > 25);
  for (const row of rows) {
    const [, , , defence = '', proof = '', remains = ''] = row.split(/(?<!\\)\|/).map((cell) => cell.trim());
    t.regex(defence, /`(?:src\/|Dockerfile|package|\.npmrc)/, row);
    t.regex(proof, /`test\/[^`]+\.test\.ts`/, row);
    t.not(remains, '', row);
  }
});

test('links of the page on security lead somewhere', (t) => {
  for (const [, target = ''] of page.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)) {
    t.true(existsSync(new URL(target, `file://${process.cwd()}/docs/`)), target);
  }
});
