import { type FileHandle, open, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { errorCode } from '../journal/write_error.js';
import { maxLineBytes } from './line.js';
import { fileNumbers } from './recover.js';
import { type Report, Verifier, type VerifierOptions } from './verify.js';

/** Lists a directory. */
type List = (directory: string) => Promise<readonly string[]>;

export interface RecordReport extends Report {
  /** Those that were read, in the order of the record. */
  readonly files: readonly string[];
}

/**
 * Verifies FILE with the files FILE.1, FILE.2, … before it, in constant memory. Rejects with a system error if one
 * cannot be read. The record may be written to meanwhile.
 */
export async function verifyFiles(
  path: string,
  options: VerifierOptions,
  list: List = readdir,
): Promise<RecordReport> {
  const verifier = new Verifier(options);
  const files: string[] = [];
  let read = 0;
  for (;;) {
    const { file, number, handle } = await openNext(path, read, list);
    if (handle !== undefined) {
      await verifyFile(file, handle, verifier, number === undefined);
      files.push(file);
    } else if (files.length === 0) {
      throw Object.assign(new Error(`there is no ${path}`), { code: 'ENOENT' });
    }
    if (number === undefined) return { ...verifier.end(), files };
    read = number;
  }
}

interface NextFile {
  readonly file: string;
  /** `undefined` for FILE itself. */
  readonly number: number | undefined;
  /** A relay that was stopped between two files has left no FILE. */
  readonly handle: FileHandle | undefined;
}

/** Opens the first file behind FILE.<read>. */
async function openNext(path: string, read: number, list: List): Promise<NextFile> {
  const nextNumber = async (): Promise<number | undefined> =>
    fileNumbers(await list(dirname(path)), basename(path)).find((number) => number > read);
  const openNumbered = async (number: number): Promise<NextFile> => {
    const file = join(dirname(path), `${basename(path)}.${number}`);
    return { file, number, handle: await open(file) };
  };
  const number = await nextNumber();
  if (number !== undefined) return openNumbered(number);
  const handle = await openIfThere(path);
  // Until it was opened, FILE may have got a number and another one its name. From then on it stays what it is.
  const meanwhile = await nextNumber();
  if (meanwhile === undefined) return { file: path, number, handle };
  await handle?.close();
  return openNumbered(meanwhile);
}

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether there is a FILE, or a FILE.1, FILE.2, …, of which it would be the next. Rejects as `verifyFiles` does. */
export async function isRecordThere(path: string): Promise<boolean> {
  const names = await readdir(dirname(path)).catch((error: unknown): readonly string[] => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  return names.includes(basename(path)) || fileNumbers(names, basename(path)).length > 0;
}

const nothing = Buffer.alloc(0);
const lineFeed = 0x0a;
const chunkBytes = 64 * 1024;
/** How long the end of a line that is just being written is waited for. */
const lineEndWithinMs = 500;

async function verifyFile(
  file: string,
  handle: FileHandle,
  verifier: Verifier,
  newest: boolean,
): Promise<void> {
  try {
    const lines = new Lines(file, handle, verifier);
    let end = await lines.readFrom(0);
    // The relay may be in the middle of a write.
    for (let waitedMs = 0; newest && lines.torn && waitedMs < lineEndWithinMs; waitedMs += 50) {
      await delay(50);
      end = await lines.readFrom(end);
    }
    lines.end();
  } finally {
    await handle.close();
  }
}

/** Cuts a file into lines, of which it never holds more than the longest that there can be. */
class Lines {
  readonly #file: string;
  readonly #handle: FileHandle;
  readonly #verifier: Verifier;
  #line = 1;
  #held: Buffer = nothing;
  /** Of the line that is being read. */
  #bytes = 0;

  constructor(file: string, handle: FileHandle, verifier: Verifier) {
    this.#file = file;
    this.#handle = handle;
    this.#verifier = verifier;
  }

  /** Whether the last line has no end yet. */
  get torn(): boolean {
    return this.#bytes > 0;
  }

  /** Reads to the end; resolves with where that is. */
  async readFrom(start: number): Promise<number> {
    for (let end = start; ;) {
      // A new one each time, as the beginning of a line is held in it.
      const buffer = Buffer.allocUnsafe(chunkBytes);
      const { bytesRead } = await this.#handle.read(buffer, 0, chunkBytes, end);
      if (bytesRead === 0) return end;
      end += bytesRead;
      this.#add(buffer.subarray(0, bytesRead));
    }
  }

  end(): void {
    if (this.torn) this.#verifier.addTorn(this.#bytes, this.#place());
  }

  #add(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      this.#hold(chunk.subarray(start, end));
      if (this.#bytes > maxLineBytes) this.#verifier.addBad(this.#place());
      else this.#verifier.add(this.#held, this.#place());
      this.#held = nothing;
      this.#bytes = 0;
      this.#line += 1;
      start = end + 1;
    }
    this.#hold(chunk.subarray(start));
  }

  #hold(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > maxLineBytes) this.#held = nothing;
    else this.#held = this.#held.length === 0 ? part : Buffer.concat([this.#held, part]);
  }

  #place(): { readonly file: string; readonly line: number } {
    return { file: this.#file, line: this.#line };
  }
}
