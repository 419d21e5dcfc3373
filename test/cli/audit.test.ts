import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { audit } from '#relay/cli/audit.js';
import { arrived, departing } from '../helpers/audit.js';
import { auditPath, openAt } from '../helpers/audit_files.js';
import { standIn } from '../helpers/cli.js';
import type { Cleanup } from '../helpers/scripted_destination.js';

async function run(...argv: readonly string[]) {
  const { context, written } = standIn({ argv });
  return { status: await audit.run(context), ...written };
}

/** A record of one export, closed. */
async function recorded(t: Cleanup): Promise<{ readonly path: string; readonly head: string }> {
  const path = await auditPath(t);
  const record = await openAt(t, path);
  const job = departing();
  await record.leaving(job);
  await record.ended(arrived(job));
  await record.close();
  return { path, head: record.head.hash };
}

test('a whole record is called whole, with its head', async (t) => {
  const { path, head } = await recorded(t);
  const { status, stdout } = await run('verify', path, '--head', head);
  t.is(status, 0);
  t.regex(stdout, /^The record is whole: 6 lines, from line 1 \(.*Z\) to line 6 \(.*Z\)\.\n/);
  t.regex(
    stdout,
    /\nSignatures cover it up to line 6 \(.*\), the last\.\nThe head noted earlier is in it\.\n/,
  );
  t.true(stdout.endsWith(`\nhead ${head}\n`));
});

test('what no signature covers yet is said to be so', async (t) => {
  const path = await auditPath(t);
  await (await openAt(t, path)).close();
  const record = await openAt(t, path);
  await record.leaving(departing());
  const { status, stdout } = await run('verify', path);
  t.is(status, 0);
  t.regex(stdout, /up to line 4 \(.*\); the 2 lines after it could have been cut off or written anew\./);
});

test('a changed line is named with its file and line, and the status is 1', async (t) => {
  const { path } = await recorded(t);
  await writeFile(path, (await readFile(path, 'utf8')).replace('"status":200', '"status":201'));
  const { status, stdout } = await run('verify', path);
  t.is(status, 1);
  t.true(stdout.startsWith(`${path}:4: changed: line 4 was changed: its content does not match its hash\n`));
  t.regex(stdout, /\nThe record is NOT whole: /);
  t.notRegex(stdout, /^head /m);
});

test('with --json the result is one object', async (t) => {
  const { path, head } = await recorded(t);
  const whole = JSON.parse((await run('verify', path, '--json')).stdout) as Record<string, unknown>;
  t.like(whole, { ok: true, lines: 6, uncovered: 0, head, findings: [], more_findings: 0 });
  await writeFile(path, (await readFile(path, 'utf8')).replace(/^.*"kind":"leaving".*\n/m, ''));
  const { status, stdout } = await run('verify', '--json', path);
  t.is(status, 1);
  const { findings } = JSON.parse(stdout) as { findings: readonly unknown[] };
  t.like(findings[0], { problem: 'missing', file: path, line: 3, seq: 3 });
});

test('the public key may be elsewhere, and has to be somewhere', async (t) => {
  const { path } = await recorded(t);
  await copyFile(`${path}.pub`, `${path}.trusted`);
  await rm(`${path}.pub`);
  const without = await run('verify', path);
  t.is(without.status, 2);
  t.regex(without.stderr, /there is no .*\.pub; name the record's public key with --key/);
  t.is((await run('verify', path, '--key', `${path}.trusted`)).status, 0);
  t.is((await run('verify', path, '--key', path)).status, 2);
});

test('what cannot be checked has status 2', async (t) => {
  const { path } = await recorded(t);
  for (const gone of [`${path}.gone`, join(path, '..', 'nowhere', 'audit.log')]) {
    const { status, stderr } = await run('verify', gone);
    t.is(status, 2);
    t.regex(stderr, /there is no \S+(?:\.gone|audit\.log)\S*\n$/);
  }
  for (const argv of [
    [],
    ['verify'],
    ['check', path],
    ['verify', path, '--head', 'short'],
    ['verify', path, '--x'],
  ]) {
    t.is((await run(...argv)).status, 2, argv.join(' '));
  }
});
