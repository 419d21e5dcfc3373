// Writes the tables of docs/errors.md, between their markers, from the relay's own.
// Usage: node scripts/write-error-tables.js
import { readFileSync, writeFileSync } from 'node:fs';
import { jobErrorTable, problemTable, ruleTable } from '../dist/openapi/tables.js';

const file = 'docs/errors.md';
let page = readFileSync(file, 'utf8');
for (const [name, table] of [
  ['problems', problemTable()],
  ['rules', ruleTable()],
  ['job errors', jobErrorTable()],
]) {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to < from) {
    console.error(`${file}: expects the line ${begin} and, further down, the line ${end}`);
    process.exit(1);
  }
  page = `${page.slice(0, from)}${begin}\n\n<!-- prettier-ignore -->\n${table}\n${page.slice(to)}`;
}
writeFileSync(file, page);
