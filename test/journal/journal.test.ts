import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type Journal, openJournal } from '#relay/journal/journal.js';
import { eventually } from '../helpers/eventually.js';
import { JournalProcess } from '../helpers/journal_process.js';
import { begun, ended, idsOf, pending } from '../helpers/stored_jobs.js';

async function temporary(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'journal-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function openAt(
  t: ExecutionContext,
  directory: string,
): Promise<Extract<Awaited<ReturnType<typeof openJournal>>, { ok: true }>> {
  const opened = await openJournal({ directory });
  if (!opened.ok) throw new Error(opened.detail);
  t.teardown(() => opened.journal.close());
  return opened;
}

async function refusedAt(directory: string): Promise<string> {
  const opened = await openJournal({ directory });
  if (!opened.ok) return `${opened.reason}: ${opened.detail}`;
  await opened.journal.close();
  throw new Error('it opened');
}

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

test('jobs put, changed and removed come back from a real disk as they were', async (t) => {
  const directory = join(await temporary(t), 'a', 'journal');
  const { journal, jobs } = await openAt(t, directory);
  t.deepEqual(jobs, []);
  const [stays, ends, goes] = [pending('ÿ✓'), pending('x'.repeat(1 << 20)), pending()];
  await Promise.all([stays, ends, goes].map((job) => journal.put(job)));
  await journal.put(ended(begun(ends), 'y'.repeat(1 << 20)));
  await journal.remove([goes.id]);
  t.is(journal.stats().jobs, 2);
  await journal.close();
  const again = await openAt(t, directory);
  t.deepEqual(again.jobs, [stays, ended(begun(ends), 'y'.repeat(1 << 20))]);
});

test('a probe writes to the disk, and nothing of it comes back', async (t) => {
  const directory = join(await temporary(t), 'journal');
  const { journal } = await openAt(t, directory);
  const job = pending();
  await journal.probe();
  await journal.put(job);
  await Promise.all([journal.probe(), journal.probe()]);
  t.is(journal.stats().jobs, 1);
  t.is(journal.stats().commits, 3);
  await journal.close();
  await t.throwsAsync(journal.probe());
  t.deepEqual((await openAt(t, directory)).jobs, [job]);
});

test('directory and files are for their owner alone, whatever the file mode mask', async (t) => {
  const directory = join(await temporary(t), 'journal');
  // The child sets its mask to 0.
  const child = new JournalProcess(t, directory, 'busy');
  await child.printed('Finished');
  t.is(await modeOf(directory), '700');
  const names = await readdir(directory);
  t.true(names.length >= 2);
  for (const name of names) t.is(await modeOf(join(directory, name)), '600', name);
});

test('rights that a copy came with are taken away', async (t) => {
  const directory = await temporary(t);
  const { journal } = await openAt(t, directory);
  await journal.put(pending());
  await journal.close();
  const name = 'jobs-00000001.log';
  await chmod(directory, 0o755);
  await chmod(join(directory, name), 0o644);
  await mkdir(join(directory, 'lost+found'));
  await openAt(t, directory);
  t.is(await modeOf(directory), '700');
  t.is(await modeOf(join(directory, name)), '600');
});

test('a directory that serves others is neither used nor changed', async (t) => {
  const directory = await temporary(t);
  await writeFile(join(directory, 'letters.txt'), '');
  await chmod(directory, 0o755);
  const refused = await refusedAt(directory);
  t.is(
    refused,
    `unusable: The journal's directory ${directory} can be used by others and has other files in it ("letters.txt"). Give the journal a directory of its own.`,
  );
  t.is(await modeOf(directory), '755');
  t.deepEqual(await readdir(directory), ['letters.txt']);
});

test('what is no directory is refused', async (t) => {
  const file = join(await temporary(t), 'file');
  await writeFile(file, '');
  for (const path of [file, join(file, 'below')]) {
    t.is(await refusedAt(path), `unusable: The journal's directory ${path} is not a directory.`);
  }
});

test('a damaged journal is refused with what to do, and left as it is', async (t) => {
  const directory = await temporary(t);
  await writeFile(join(directory, 'jobs-00000001.log'), 'a letter', { mode: 0o600 });
  t.is(
    await refusedAt(directory),
    `damaged: The journal in ${directory} is damaged: jobs-00000001.log does not begin as a file of a journal. Nothing was changed. Put a copy of the directory back (jobs that ended after it was made are delivered again), or move it away to begin with an empty journal, without the jobs in it.`,
  );
  t.deepEqual(await readdir(directory), ['jobs-00000001.log']);
});

test('a second process is refused while the first lives, and let in once that is killed', async (t) => {
  const directory = await temporary(t);
  const first = new JournalProcess(t, directory, 'busy');
  await first.printed('Finished');
  t.is(
    await refusedAt(directory),
    `in_use: The journal in ${directory} is in use by another process. Stop that one first, or give this one a directory of its own.`,
  );
  const second = new JournalProcess(t, directory, 'idle');
  await second.ended();
  t.regex(second.lines[0] ?? '', /^refused in_use /);
  // The first is unharmed.
  const before = first.lines.length;
  await eventually(() => first.lines.length > before);
  await first.kill();
  const third = await openAt(t, directory);
  t.true(third.jobs.length > 0);
});

test('a process that is stopped keeps its journal', async (t) => {
  const directory = await temporary(t);
  const first = new JournalProcess(t, directory, 'idle');
  await first.printed('ready');
  first.stop();
  t.regex(await refusedAt(directory), /^in_use: /);
  // Nor do so many callers that the system turns away further ones take it for dead.
  const [lock = ''] = await readdir(directory);
  const callers = Array.from({ length: 600 }, () =>
    connect(join(directory, lock)).on('error', () => undefined),
  );
  t.teardown(() => callers.forEach((caller) => caller.destroy()));
  await eventually(() => callers.some(({ errored }) => errored !== null));
  t.regex(await refusedAt(directory), /^in_use: /);
});

test('the same process cannot open a journal twice, and can again once it is closed', async (t) => {
  const directory = await temporary(t);
  const { journal } = await openAt(t, directory);
  t.regex(await refusedAt(directory), /^in_use: /);
  await journal.close();
  await openAt(t, directory);
});

test('of many that start at the same time at most one gets in', async (t) => {
  const directory = await temporary(t);
  for (let round = 0; round < 10; round += 1) {
    const all = await Promise.all(Array.from({ length: 8 }, () => openJournal({ directory })));
    const journals: Journal[] = [];
    for (const opened of all) {
      if (opened.ok) journals.push(opened.journal);
      else t.is(opened.reason, 'in_use', opened.detail);
    }
    t.true(journals.length <= 1);
    for (const journal of journals) await journal.close();
  }
  t.deepEqual(await readdir(directory), []);
});

test('a path longer than that of a socket may be is no obstacle', async (t) => {
  const directory = join(await temporary(t), 'd'.repeat(100), 'e'.repeat(100));
  const { journal } = await openAt(t, directory);
  t.regex(await refusedAt(directory), /^in_use: /);
  const job = pending();
  await journal.put(job);
  await journal.close();
  const again = await openAt(t, directory);
  t.deepEqual(idsOf(again.jobs), idsOf([job]));
});
