import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { makeDirectory } from '#relay/make_directory.js';

async function temporary(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'relay-make-'));
  t.teardown(() => rm(directory, { recursive: true }));
  return directory;
}

test('a directory is made with those above it, and only for its owner', async (t) => {
  const first = join(await temporary(t), 'one');
  t.is(await makeDirectory(join(first, 'two', 'three'), 0o700), first);
  for (const path of [first, join(first, 'two'), join(first, 'two', 'three')]) {
    t.is((await stat(path)).mode & 0o777, 0o700);
  }
  t.is(await makeDirectory(join(first, 'two'), 0o700), undefined);
});

test('of two that make the same directory, neither fails', async (t) => {
  const path = join(await temporary(t), 'one', 'two');
  await Promise.all([makeDirectory(path, 0o700), makeDirectory(path, 0o700)]);
  t.true((await stat(path)).isDirectory());
});

test('below a file there is none to be made', async (t) => {
  const file = join(await temporary(t), 'file');
  await writeFile(file, '');
  await t.throwsAsync(makeDirectory(join(file, 'below', 'it'), 0o700), { code: 'ENOTDIR' });
});

const underProc = platform() === 'linux' ? test : test.skip;
underProc('where a directory takes no others, that is said, and at once (needs Linux)', async (t) => {
  await t.throwsAsync(makeDirectory('/proc/relay/journal', 0o700), { code: 'ENOENT' });
});
