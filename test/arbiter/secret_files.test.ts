import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { readSecretFiles } from '#relay/arbiter/secret_files.js';

async function inDirectory(check: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'export-relay-secrets-'));
  try {
    await check(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

const none = { token: undefined, serverKey: undefined, rootCa: undefined };

test('the three files are read, the token byte for byte', async (t) => {
  await inDirectory(async (directory) => {
    await writeFile(join(directory, 'ARBITER_TOKEN'), Buffer.of(0, 255, 10));
    await writeFile(join(directory, 'key'), 'KEY\n');
    await symlink(join(directory, 'key'), join(directory, 'ZMQ_PUBLIC_KEY'));
    await writeFile(join(directory, 'DATABOX_ROOT_CA'), 'CA');
    t.deepEqual(await readSecretFiles(directory), {
      files: { token: Buffer.of(0, 255, 10), serverKey: 'KEY\n', rootCa: 'CA' },
      mistakes: [],
    });
  });
});

test('missing files and a missing directory are no mistake here', async (t) => {
  await inDirectory(async (directory) => {
    t.deepEqual(await readSecretFiles(directory), { files: none, mistakes: [] });
    t.deepEqual(await readSecretFiles(join(directory, 'nowhere')), { files: none, mistakes: [] });
  });
});

test('a link that leads nowhere but to itself is a mistake', async (t) => {
  await inDirectory(async (directory) => {
    await symlink('DATABOX_ROOT_CA', join(directory, 'DATABOX_ROOT_CA'));
    const { mistakes } = await readSecretFiles(directory);
    t.deepEqual(mistakes, [`${join(directory, 'DATABOX_ROOT_CA')} cannot be read (ELOOP)`]);
  });
});

test('files that are there and cannot be used are all named, without being opened where that could hang', async (t) => {
  await inDirectory(async (directory) => {
    await mkdir(join(directory, 'ARBITER_TOKEN'));
    await writeFile(join(directory, 'DATABOX_ROOT_CA'), Buffer.alloc(256 * 1024 + 1));
    execFileSync('sh', ['-c', 'mkfifo "$0"', join(directory, 'ZMQ_PUBLIC_KEY')]);
    const { files, mistakes } = await readSecretFiles(directory);
    t.deepEqual(files, none);
    t.deepEqual(mistakes, [
      `${join(directory, 'ARBITER_TOKEN')} is not a file`,
      `${join(directory, 'DATABOX_ROOT_CA')} is longer than 262144 bytes`,
      `${join(directory, 'ZMQ_PUBLIC_KEY')} is not a file`,
    ]);
  });
});
