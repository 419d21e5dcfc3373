import { join } from 'node:path';
import { readBoundedFile } from '../bounded_file.js';

/** The secrets that the platform puts into files. A file that is not there is `undefined`. */
interface SecretFiles {
  /** `ARBITER_TOKEN`, byte for byte. */
  readonly token: Uint8Array | undefined;
  /** `ZMQ_PUBLIC_KEY`. */
  readonly serverKey: string | undefined;
  /** `DATABOX_ROOT_CA`. */
  readonly rootCa: string | undefined;
}

export interface ReadSecretFiles {
  readonly files: SecretFiles;
  /** Files that are there and cannot be used; each text names the file and says why. */
  readonly mistakes: readonly string[];
}

/**
 * Reads what the arbiter's client needs from the secrets directory. That a file or the whole directory is missing is no mistake here: which ones are
 * needed depends on the rest of the configuration.
 */
export async function readSecretFiles(directory: string): Promise<ReadSecretFiles> {
  const mistakes: string[] = [];
  const read = async (name: string): Promise<Buffer | undefined> => {
    const path = join(directory, name);
    const file = await readBoundedFile(path);
    if (file.kind === 'unusable') mistakes.push(`${path} ${file.reason}`);
    return file.kind === 'content' ? file.content : undefined;
  };
  const [token, serverKey, rootCa] = await Promise.all([
    read('ARBITER_TOKEN'),
    read('ZMQ_PUBLIC_KEY'),
    read('DATABOX_ROOT_CA'),
  ]);
  const files = {
    token,
    serverKey: serverKey?.toString('latin1'),
    rootCa: rootCa?.toString('utf8'),
  };
  return { files, mistakes: mistakes.sort() };
}
