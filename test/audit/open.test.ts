import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFile,
  chmod,
  copyFile,
  lstat,
  mkdir,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { type Server, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import test from 'ava';
import { loadPublicKey } from '#relay/audit/keys.js';
import { verifyFiles } from '#relay/audit/verify_files.js';
import { openJournal } from '#relay/journal/journal.js';
import { arrived, departing, problems } from '../helpers/audit.js';
import { auditPath, openAt, readLines, refusalAt } from '../helpers/audit_files.js';

/** `list` lists a directory, and is told for which time. */
async function verify(
  path: string,
  options: { readonly head?: string; readonly partial?: boolean } = {},
  list: (directory: string, round: number) => Promise<readonly string[]> = (directory) => readdir(directory),
) {
  const key = await loadPublicKey(`${path}.pub`);
  if (!key.ok) throw new Error(key.detail);
  let rounds = 0;
  return verifyFiles(path, { key: key.key, ...options }, (directory) => list(directory, (rounds += 1)));
}

function makePipe(path: string): void {
  execFileSync('sh', ['-c', 'mkfifo -m 644 "$0"', path]);
}

async function listening(path: string): Promise<Server> {
  const server = createServer().listen(path);
  await once(server, 'listening');
  return server;
}

test('the record and its key are their owner’s alone, the public key is for everybody', async (t) => {
  const path = await auditPath(t);
  const audit = await openAt(t, path);
  await audit.leaving(departing());
  const modes = await Promise.all(
    ['', '.key', '.pub'].map(async (suffix) => (await stat(path + suffix)).mode & 0o777),
  );
  t.deepEqual(modes, [0o600, 0o600, 0o644]);
  t.is(audit.head.seq, 3);
});

test('a link that somebody has laid where the key is made leads it nowhere', async (t) => {
  const path = await auditPath(t);
  const elsewhere = `${path}.elsewhere`;
  await writeFile(elsewhere, 'precious', { mode: 0o644 });
  await symlink(elsewhere, `${path}.key.tmp`);
  await symlink(elsewhere, `${path}.pub.tmp`);
  await openAt(t, path);
  t.is(await readFile(elsewhere, 'utf8'), 'precious');
  t.is((await stat(elsewhere)).mode & 0o777, 0o644);
  for (const suffix of ['.key', '.pub']) t.true((await lstat(path + suffix)).isFile());
});

test('a record goes on under the same key after a stop', async (t) => {
  const path = await auditPath(t);
  const heads: string[] = [];
  for (let run = 0; run < 3; run += 1) {
    const audit = await openAt(t, path);
    const job = departing();
    await audit.leaving(job);
    await audit.ended(arrived(job));
    await audit.close();
    heads.push(audit.head.hash);
  }
  for (const head of heads) t.deepEqual(problems(await verify(path, { head })), []);
});

test('a second process is kept out until the first has gone', async (t) => {
  const path = await auditPath(t);
  const audit = await openAt(t, path);
  const { reason, detail } = await refusalAt(path);
  t.is(reason, 'in_use');
  t.regex(detail, /in use by another process\. Stop that one first/);
  await audit.close();
  await t.notThrowsAsync(openAt(t, path));
});

test('record and journal may share a directory', async (t) => {
  const path = await auditPath(t);
  const journal = await openJournal({ directory: dirname(path) });
  t.true(journal.ok);
  const audit = await openAt(t, path);
  await audit.leaving(departing());
  await audit.close();
  if (journal.ok) await journal.journal.close();
  const again = await openJournal({ directory: dirname(path) });
  t.true(again.ok);
  if (again.ok) await again.journal.close();
});

const refusals: Readonly<
  Record<string, { readonly tamper: (path: string) => Promise<void>; readonly detail: RegExp }>
> = {
  'whose key is missing': {
    tamper: (path) => rm(`${path}.key`),
    detail: /its key, .*\.key, is missing\. Nothing was changed/,
  },
  'whose lines are missing': {
    tamper: (path) => rm(path),
    detail: /\.key is there, and the record that it signed is not/,
  },
  'whose key others can read': {
    tamper: (path) => chmod(`${path}.key`, 0o640),
    detail: /can be read by others.*chmod 600/,
  },
  'whose keys do not belong together': {
    tamper: (path) =>
      writeFile(
        `${path}.pub`,
        '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n',
      ),
    detail: /\.pub is not the public key of/,
  },
  'whose key is none': {
    tamper: (path) => writeFile(`${path}.key`, 'no key'),
    detail: /is not an ed25519 private key in PEM/,
  },
  'with a changed line': {
    tamper: async (path) => {
      const text = await readFile(path, 'utf8');
      await writeFile(path, text.replace('"kind":"start"', '"kind":"START"'));
    },
    detail: /a line of audit\.log was changed or damaged\. Nothing was changed\. See what .* audit verify/,
  },
};
for (const [what, { tamper, detail }] of Object.entries(refusals)) {
  test(`a record ${what} is refused with what to do`, async (t) => {
    const path = await auditPath(t);
    const audit = await openAt(t, path);
    await audit.leaving(departing());
    await audit.close();
    await tamper(path);
    t.regex((await refusalAt(path)).detail, detail);
  });
}

test('a first start that was stopped before it made the key begins again', async (t) => {
  const path = await auditPath(t);
  await writeFile(path, '');
  const audit = await openAt(t, path);
  await audit.leaving(departing());
  t.deepEqual(problems(await verify(path)), []);
});

test('a public key that got lost is made again from the key', async (t) => {
  const path = await auditPath(t);
  await (await openAt(t, path)).close();
  const before = await readFile(`${path}.pub`, 'utf8');
  await rm(`${path}.pub`);
  await (await openAt(t, path)).close();
  t.is(await readFile(`${path}.pub`, 'utf8'), before);
});

test('a directory that cannot be made is refused with its reason', async (t) => {
  const path = await auditPath(t);
  await writeFile(path, 'x');
  const { reason, detail } = await refusalAt(join(path, 'audit.log'));
  t.is(reason, 'unusable');
  t.regex(detail, /ENOTDIR|EEXIST/);
});

for (const [what, make] of [
  ['a named pipe', makePipe],
  ['a directory', (path: string) => mkdir(path)],
  ['a Unix socket', listening],
] as const) {
  test(`${what} is no record: nothing is made, and its rights stay`, async (t) => {
    const path = await auditPath(t);
    const server = await make(path);
    if (server !== undefined) t.teardown(() => server.close());
    const before = await stat(path);
    for (const name of [path, `${path}.link`]) {
      if (name !== path) await symlink(path, name);
      const { reason, detail } = await refusalAt(name);
      t.is(reason, 'unusable');
      t.true(detail.endsWith(`${name} cannot be used: it is not a regular file.`), detail);
    }
    t.is((await stat(path)).mode, before.mode);
    t.deepEqual((await readdir(dirname(path))).sort(), ['audit.log', 'audit.log.link']);
  });
}

test('an earlier file of a record that is a named pipe keeps its rights', async (t) => {
  const path = await auditPath(t);
  await (await openAt(t, path)).close();
  await rm(path);
  makePipe(`${path}.1`);
  t.is((await refusalAt(path)).reason, 'unusable');
  t.is((await stat(`${path}.1`)).mode & 0o777, 0o644);
});

test('all files of a record are verified as one, and one of them alone as a part', async (t) => {
  const path = await auditPath(t);
  const audit = await openAt(t, path, { maxFileBytes: 3000 });
  for (let count = 0; count < 30; count += 1) await audit.leaving(departing());
  await audit.close();
  const report = await verify(path, { head: audit.head.hash });
  t.deepEqual(problems(report), []);
  t.true(report.files.length > 3);
  t.is(report.lines, audit.head.seq);

  await copyFile(`${path}.2`, `${path}.2.bak`);
  await rm(`${path}.2`);
  const gap = await verify(path);
  t.is(gap.findings[0]?.problem, 'missing');
  t.is(gap.findings[0]?.place.file, `${path}.3`);
  await rm(`${path}.1`);
  t.deepEqual(problems(await verify(path, { partial: true })), []);
  t.is((await verify(path)).findings[0]?.problem, 'missing');

  await rename(`${path}.2.bak`, path);
  t.is((await verify(path)).findings.at(-1)?.problem, 'reordered');
});

test('a file that gets its number while it is looked for is verified once, and before the next', async (t) => {
  const path = await auditPath(t);
  const audit = await openAt(t, path, { maxFileBytes: 3000 });
  const report = await verify(path, {}, async (directory, round) => {
    const names = await readdir(directory);
    // The file that is about to be opened under its old name is another one now.
    if (round === 1)
      while (!(await readdir(directory)).includes('audit.log.1')) await audit.leaving(departing());
    return names;
  });
  t.deepEqual(problems(report), []);
  t.deepEqual(report.files, [`${path}.1`, path]);
});

test('a line that is whole only when its file has got a number is waited for', async (t) => {
  const path = await auditPath(t);
  await (await openAt(t, path)).close();
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.slice(0, -20));
  const report = await verify(path, {}, async (directory, round) => {
    const names = await readdir(directory);
    if (round === 2) {
      await rename(path, `${path}.1`);
      await writeFile(path, '');
      setTimeout(() => void appendFile(`${path}.1`, text.slice(-20)), 30);
    }
    return names;
  });
  t.deepEqual(problems(report), []);
});

test('a line of any length is read in constant memory, and is no line', async (t) => {
  const path = await auditPath(t);
  await (await openAt(t, path)).close();
  const text = await readFile(path, 'utf8');
  const [first = '', ...rest] = text.split('\n');
  await writeFile(path, [first, 'x'.repeat(300_000), ...rest].join('\n'));
  t.deepEqual(problems(await verify(path)), ['inserted ?']);
  await truncate(path, Buffer.byteLength(first) + 2000);
  t.deepEqual(problems(await verify(path)), ['torn 2']);
  t.is((await readLines(path).catch(() => [])).length, 1);
});
