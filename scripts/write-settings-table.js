// Writes the settings table into the README, between its markers; with --check, only says whether it is current.
// Usage: node scripts/write-settings-table.js [--check] [FILE]
import { readFileSync, writeFileSync } from 'node:fs';
import { settingsTable } from '../dist/config/describe.js';

const begin = '<!-- settings -->';
const end = '<!-- /settings -->';

const check = process.argv.includes('--check');
const file = process.argv.slice(2).find((word) => !word.startsWith('--')) ?? 'README.md';
const before = readFileSync(file, 'utf8');
const from = before.indexOf(begin);
const to = before.indexOf(end, from);
if (from === -1 || to === -1) {
  console.error(`${file}: expects the line ${begin} and, further down, the line ${end}`);
  process.exit(1);
}
// One row a line and no padding: a longer sentence changes one line, not the whole table.
const table = `${begin}\n\n<!-- prettier-ignore -->\n${settingsTable()}\n`;
const after = before.slice(0, from) + table + before.slice(to);
if (after === before) process.exit(0);
if (check) {
  console.error(`${file}: the settings table is not current; write it with: npm run docs`);
  process.exit(1);
}
writeFileSync(file, after);
