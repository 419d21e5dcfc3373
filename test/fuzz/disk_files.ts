import { readFileSync, readdirSync } from 'node:fs';
import { MemoryDisk } from '../helpers/memory_disk.js';

/** Files of a corpus that belong together. */
export type Files = ReadonlyMap<string, Buffer>;

/** The files of a folder of the corpora, but those that end in another way. */
export function filesOf(folder: string, suffix: RegExp): Files {
  const path = `test/fixtures/fuzz/${folder}`;
  const names = readdirSync(path).filter((name) => suffix.test(name));
  return new Map(names.sort().map((name) => [name, readFileSync(`${path}/${name}`)]));
}

export function diskWith(files: Files): MemoryDisk {
  const disk = new MemoryDisk();
  for (const [name, bytes] of files) disk.setBytes(name, bytes);
  return disk;
}

/** Whether a disk has these files, and nothing else. */
export function holds(disk: MemoryDisk, files: Files): boolean {
  if (disk.names.size !== files.size) return false;
  return [...files].every(([name, bytes]) => disk.names.has(name) && disk.bytes(name).equals(bytes));
}

/** What an input means: the other content of one of several files. Its first byte says of which. */
export interface ChangedFile {
  readonly index: number;
  readonly bytes: Buffer;
  /** Whether checksums are to be made to fit, as somebody does who knows the format. */
  readonly forged: boolean;
}

export function encodeChange(index: number, bytes: Buffer, forged: boolean): Buffer {
  return Buffer.concat([Buffer.from([index | (forged ? 0x80 : 0)]), bytes]);
}

export function decodeChange(input: Buffer, files: number): ChangedFile {
  const [first = 0] = input;
  return { index: (first & 0x7f) % files, bytes: Buffer.from(input.subarray(1)), forged: first >= 0x80 };
}
