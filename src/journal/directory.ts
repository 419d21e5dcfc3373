import { chmod, readdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { makeDirectory } from '../make_directory.js';
import { isLockName } from './lock.js';
import { syncDirectory } from './storage.js';
import { errorCode } from './write_error.js';

const ownerOnly = 0o700;

/**
 * Makes the directory, or sees that nobody but its owner can use it. A reason if that is not possible; completes a
 * sentence that begins with the directory's name.
 */
export async function prepareDirectory(directory: string): Promise<string | undefined> {
  try {
    const made = await makeDirectory(directory, ownerOnly);
    if (made !== undefined) {
      // What was just made has to last.
      await syncDirectory(dirname(resolve(made)));
      return undefined;
    }
    return await tighten(directory);
  } catch (error) {
    const code = errorCode(error);
    return code === 'ENOTDIR' ? 'is not a directory' : `cannot be used (${code})`;
  }
}

/** Takes rights away from a directory that is ours, never from one that serves others as well. */
async function tighten(directory: string): Promise<string | undefined> {
  const { mode } = await stat(directory);
  if ((mode & 0o077) === 0) return undefined;
  const foreign = (await readdir(directory)).find((name) => !isOurs(name));
  if (foreign !== undefined) {
    return `can be used by others and has other files in it (${JSON.stringify(foreign)}). Give the journal a directory of its own.`;
  }
  await chmod(directory, ownerOnly);
  return undefined;
}

/** `lost+found` is what an empty volume begins with. */
function isOurs(name: string): boolean {
  return /^jobs-\d+\.log(?:\.tmp)?$/.test(name) || isLockName(name) || name === 'lost+found';
}
