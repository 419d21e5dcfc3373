import { writeSync } from 'node:fs';
import { type FileHandle, open, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes of a file, from `offset` on. */
export interface ByteRange {
  readonly offset: number;
  readonly bytes: number;
}

/** A file as the journal uses it. What is written is certain to last only after `sync`. */
export interface StorageFile {
  /** All bytes from the beginning, or as many of them as asked for; in `scratch` if they fit. */
  read(maxBytes?: number, scratch?: Buffer): Promise<Buffer>;
  /** Writes all of it or rejects; then some of it may be there. */
  write(bytes: Uint8Array, offset: number): Promise<void>;
  /** Overwrites with zeros, at once: many small ranges cost less that way than a turn of the thread pool each. */
  zero(ranges: readonly ByteRange[]): void;
  /** Resolves when everything written is on the medium. */
  sync(): Promise<void>;
  truncate(bytes: number): Promise<void>;
  close(): Promise<void>;
}

/** A directory as the journal uses it: narrow, so that a test can put a disk behind it that fills up or loses power. */
export interface Storage {
  list(): Promise<readonly string[]>;
  /** A new, empty file; one of that name is emptied. */
  create(name: string): Promise<StorageFile>;
  open(name: string): Promise<StorageFile>;
  rename(from: string, to: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Resolves when created, renamed and removed names are on the medium. */
  syncNames(): Promise<void>;
}

const ownerOnly = 0o600;

/** The files of a real directory, readable by their owner alone. */
export function directoryStorage(directory: string): Storage {
  return {
    list: () => readdir(directory),
    create: async (name) => new RealFile(await open(join(directory, name), 'w+', ownerOnly)),
    async open(name) {
      const handle = await open(join(directory, name), 'r+');
      try {
        await takeOver(handle);
        return new RealFile(handle);
      } catch (error) {
        await handle.close();
        throw error;
      }
    },
    rename: (from, to) => rename(join(directory, from), join(directory, to)),
    remove: (name) => unlink(join(directory, name)),
    syncNames: () => syncDirectory(directory),
  };
}

/** A copy that was put back may have come with wider rights. What is no file is nobody's alone, and left as it is. */
async function takeOver(handle: FileHandle): Promise<void> {
  if (!(await handle.stat()).isFile()) {
    throw Object.assign(new Error('this is not a regular file'), { code: 'EINVAL' });
  }
  await handle.chmod(ownerOnly);
}

/** Makes the names in a directory last. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const zeros = Buffer.alloc(64 * 1024);

class RealFile implements StorageFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async read(maxBytes = Infinity, scratch?: Buffer): Promise<Buffer> {
    const { size } = await this.#handle.stat();
    const wanted = Math.min(size, maxBytes);
    const fits = scratch !== undefined && scratch.length >= wanted;
    const buffer = fits ? scratch.subarray(0, wanted) : Buffer.allocUnsafeSlow(wanted);
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await this.#handle.read(buffer, filled, buffer.length - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  }

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      const rest = bytes.length - written;
      written += (await this.#handle.write(bytes, written, rest, offset + written)).bytesWritten;
    }
  }

  zero(ranges: readonly ByteRange[]): void {
    for (const { offset, bytes } of ranges) {
      for (let done = 0; done < bytes;) {
        done += writeSync(this.#handle.fd, zeros, 0, Math.min(zeros.length, bytes - done), offset + done);
      }
    }
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  truncate(bytes: number): Promise<void> {
    return this.#handle.truncate(bytes);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
