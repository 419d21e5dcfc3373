import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { helpText, printConfig, settingsTable } from '#relay/config/describe.js';
import { twoColumns, wrap } from '#relay/config/layout.js';
import { parseConfig } from '#relay/config/parse.js';
import { settings } from '#relay/config/settings.js';

test('the help has every flag, variable and default, and an example', (t) => {
  const help = helpText();
  for (const { flag, short, variable, defaultText } of Object.values(settings)) {
    t.regex(help, new RegExp(`^ +(?:-${short ?? '~'}, )?--${flag}(?: [A-Z]+)? `, 'm'));
    if (variable !== undefined) t.true(help.includes(`[${variable};`), variable);
    t.true(help.replaceAll(/\s+/g, ' ').includes(`default ${defaultText}`), flag);
  }
  t.regex(help, /--print-config/);
  t.regex(help, /\nExamples:\n {2}export-relay serve --dev\n/);
  t.true(help.endsWith('\n'));
});

test('the help fits into 100 columns', (t) => {
  t.deepEqual(
    helpText()
      .split('\n')
      .filter((line) => line.length > 100),
    [],
  );
});

test('wrapping loses no word and breaks only where it has to', (t) => {
  t.deepEqual(wrap('one two three', 7), ['one two', 'three']);
  t.deepEqual(wrap('one incomprehensible', 7), ['one', 'incomprehensible']);
  t.is(
    twoColumns([
      { typed: '--a', does: 'first' },
      { typed: '--long', does: 'second' },
    ]),
    '  --a     first\n  --long  second',
  );
});

test('the printed configuration has units, and says where each value came from', (t) => {
  const parsed = parseConfig({
    argv: ['--dev', '--max-body', '1536', '--job-timeout=90'],
    env: { EXPORT_SECRET: 'hunter2,hunter3', EXPORT_MAX_WAIT: '1m' },
  });
  t.true(parsed.ok);
  if (!parsed.ok) return;
  const lines = printConfig(parsed)
    .split('\n')
    .map((line) => line.replaceAll(/ +/g, ' '));
  for (const line of [
    'max-body = 1536b # flag --max-body',
    'job-timeout = 90s # flag --job-timeout',
    'max-wait = 1m # environment EXPORT_MAX_WAIT',
    'max-memory = 256mb # default',
    'host = 127.0.0.1 # because of --dev',
    'allow-http = on # because of --dev',
    'allow-destination = any # default',
    'secret = [redacted], [redacted] # environment EXPORT_SECRET',
  ]) {
    t.true(lines.includes(line), line);
  }
  t.is(lines.length, Object.keys(settings).length + 1);
  t.notRegex(lines.join('\n'), /hunter/);
});

test('a configuration without secret says so rather than hiding it', (t) => {
  const parsed = parseConfig({ argv: ['--dev'], env: {} });
  t.regex(parsed.ok ? printConfig(parsed) : '', /^secret = none/m);
});

test('the table for the README has a row for every setting', (t) => {
  const rows = settingsTable().trimEnd().split('\n');
  t.is(rows.length, Object.keys(settings).length + 2);
  t.true(rows.every((row) => row.split(/(?<!\\)\|/).length === 6));
  t.true(rows.some((row) => row.startsWith('| `--port`, `-p` | `DATABOX_LOCAL_PORT` | 8080 | ')));
});

test("the README's table is the one in the code; if not, npm run docs writes it", async (t) => {
  t.true((await readFile('README.md', 'utf8')).includes(`\n${settingsTable()}`));
});

/** Runs the script that keeps the README current on a file with this text. */
async function writeTable(text: string, ...flags: string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'settings-table-'));
  try {
    const file = join(folder, 'README.md');
    await writeFile(file, text);
    const script = ['scripts/write-settings-table.js', ...flags, file];
    const { status, stderr } = spawnSync(process.execPath, script, { encoding: 'utf8' });
    return { status, stderr, text: await readFile(file, 'utf8') };
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('the script writes the table between its markers and leaves the rest alone', async (t) => {
  const old = '# Name\n\n<!-- settings -->\n\nstale text\n\n<!-- /settings -->\n\nMore\n';
  t.is((await writeTable(old, '--check')).status, 1);
  t.is((await writeTable(old, '--check')).text, old);
  const written = await writeTable(old);
  t.is(written.status, 0);
  t.true(written.text.startsWith('# Name\n\n<!-- settings -->\n'));
  t.true(written.text.endsWith('\n<!-- /settings -->\n\nMore\n'));
  t.true(written.text.includes(settingsTable()));
  t.false(written.text.includes('stale text'));
  t.is((await writeTable(written.text, '--check')).status, 0);
  t.is((await writeTable(written.text)).text, written.text);
});

for (const text of ['', '# Name\n', '<!-- settings -->\n', '<!-- /settings -->\n<!-- settings -->\n']) {
  test(`the script refuses a README without the two markers in order: ${JSON.stringify(text)}`, async (t) => {
    const { status, stderr, text: after } = await writeTable(text);
    t.is(status, 1);
    t.regex(stderr, /<!-- settings -->.*<!-- \/settings -->/);
    t.is(after, text);
  });
}
