import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Makes a directory and those above it that are missing, and gives the first that it made; `undefined` where there is
 * something of that name. Rejects with the system's error. Node's own way of making several never ends where a directory
 * takes no others, such as `/proc`.
 */
export async function makeDirectory(path: string, mode: number): Promise<string | undefined> {
  const missing: string[] = [];
  for (let at = resolve(path); !(await exists(at)); at = dirname(at)) missing.unshift(at);
  for (const directory of missing) await make(directory, mode);
  return missing[0];
}

async function make(directory: string, mode: number): Promise<void> {
  try {
    await mkdir(directory, { mode });
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if (!(await exists(directory))) throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
