import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { errorCode } from '../journal/write_error.js';
import { maxLineBytes } from './line.js';
import { fileNumbers } from './recover.js';
import { type Report, Verifier, type VerifierOptions } from './verify.js';

export interface RecordReport extends Report {
  /** Those that were read, in the order of the record. */
  readonly files: readonly string[];
}

/**
 * Verifies FILE with the files FILE.1, FILE.2, … before it, in constant memory. Rejects with a system error if one
 * cannot be read. The record may be written to meanwhile.
 */
export async function verifyFiles(path: string, options: VerifierOptions): Promise<RecordReport> {
  const verifier = new Verifier(options);
  const files: string[] = [];
  let read = 0;
  for (;;) {
    // Looked for again each time: the last one may have got a number meanwhile.
    const next = fileNumbers(await readdir(dirname(path)), basename(path)).find((number) => number > read);
    const file = next === undefined ? path : join(dirname(path), `${basename(path)}.${next}`);
    const found = await verifyFile(file, verifier, next === undefined);
    if (found) files.push(file);
    // A relay that was stopped between two files has left none of that name.
    else if (files.length === 0) throw Object.assign(new Error(`there is no ${path}`), { code: 'ENOENT' });
    if (next === undefined) return { ...verifier.end(), files };
    read = next;
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
/** How long the end of a line that is just being written is waited for. */
const lineEndWithinMs = 500;

/** False if there is no such file. */
async function verifyFile(file: string, verifier: Verifier, newest: boolean): Promise<boolean> {
  const lines = new Lines(file, verifier);
  let end: number;
  try {
    end = await lines.readFrom(0);
  } catch (error) {
    if (newest && errorCode(error) === 'ENOENT') return false;
    throw error;
  }
  // The relay may be in the middle of a write.
  for (let waitedMs = 0; newest && lines.torn && waitedMs < lineEndWithinMs; waitedMs += 50) {
    await delay(50);
    end = await lines.readFrom(end);
  }
  lines.end();
  return true;
}

/** Cuts a file into lines, of which it never holds more than the longest that there can be. */
class Lines {
  readonly #file: string;
  readonly #verifier: Verifier;
  #line = 1;
  #held: Buffer = nothing;
  /** Of the line that is being read. */
  #bytes = 0;

  constructor(file: string, verifier: Verifier) {
    this.#file = file;
    this.#verifier = verifier;
  }

  /** Whether the last line has no end yet. */
  get torn(): boolean {
    return this.#bytes > 0;
  }

  /** Reads to the end; resolves with where that is. */
  async readFrom(start: number): Promise<number> {
    let end = start;
    for await (const chunk of createReadStream(this.#file, { start }) as AsyncIterable<Buffer>) {
      end += chunk.length;
      this.#add(chunk);
    }
    return end;
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
