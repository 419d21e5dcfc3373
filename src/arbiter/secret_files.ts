import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** The secrets that the platform puts into files. A file that is not there is `undefined`. */
interface SecretFiles {
  /** `ARBITER_TOKEN`, byte for byte. */
  readonly token: Uint8Array | undefined;
  /** `ZMQ_PUBLIC_KEY`. */
  readonly serverKey: string | undefined;
  /** `DATABOX.pem`: the service's certificate and key. */
  readonly tlsPem: string | undefined;
  /** `DATABOX_ROOT_CA`. */
  readonly rootCa: string | undefined;
}

export interface ReadSecretFiles {
  readonly files: SecretFiles;
  /** Files that are there and cannot be used; each text names the file and says why. */
  readonly mistakes: readonly string[];
}

/** Far more than a chain of certificates takes. */
const maxFileBytes = 256 * 1024;

/**
 * Reads the secrets directory. That a file or the whole directory is missing is no mistake here: which ones are
 * needed depends on the rest of the configuration.
 */
export async function readSecretFiles(directory: string): Promise<ReadSecretFiles> {
  const mistakes: string[] = [];
  const read = async (name: string): Promise<Buffer | undefined> => {
    const result = await readBounded(join(directory, name));
    if (typeof result !== 'string') return result;
    mistakes.push(`${join(directory, name)} ${result}`);
    return undefined;
  };
  const [token, serverKey, tlsPem, rootCa] = await Promise.all([
    read('ARBITER_TOKEN'),
    read('ZMQ_PUBLIC_KEY'),
    read('DATABOX.pem'),
    read('DATABOX_ROOT_CA'),
  ]);
  const files = {
    token,
    serverKey: serverKey?.toString('latin1'),
    tlsPem: tlsPem?.toString('utf8'),
    rootCa: rootCa?.toString('utf8'),
  };
  return { files, mistakes: mistakes.sort() };
}

/** The content; `undefined` where there is no such file; a text that says why it cannot be read. */
async function readBounded(path: string): Promise<Buffer | string | undefined> {
  try {
    const found = await stat(path);
    // Asked before opening: a named pipe would keep the start waiting.
    if (!found.isFile()) return 'is not a file';
    if (found.size > maxFileBytes) return `is longer than ${maxFileBytes} bytes`;
    return await readFile(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return code === 'ENOENT' ? undefined : `cannot be read (${code})`;
  }
}
