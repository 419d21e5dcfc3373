import { readFile, stat } from 'node:fs/promises';

export type BoundedFile =
  | { readonly kind: 'content'; readonly content: Buffer }
  | { readonly kind: 'missing' }
  /** It is there and cannot be used; completes a sentence that begins with the file's name. */
  | { readonly kind: 'unusable'; readonly reason: string };

/** Far more than a token, a key or a chain of certificates takes. */
const maxFileBytes = 256 * 1024;

/** Reads a small file that somebody else put there. Never throws. */
export async function readBoundedFile(path: string): Promise<BoundedFile> {
  try {
    const found = await stat(path);
    // Asked before opening: a named pipe would keep the start waiting.
    if (!found.isFile()) return unusable('is not a file');
    if (found.size > maxFileBytes) return unusable(`is longer than ${maxFileBytes} bytes`);
    return { kind: 'content', content: await readFile(path) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return code === 'ENOENT' ? { kind: 'missing' } : unusable(`cannot be read (${code})`);
  }
}

function unusable(reason: string): BoundedFile {
  return { kind: 'unusable', reason };
}
