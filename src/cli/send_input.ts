import { readFile, stat } from 'node:fs/promises';
import type { CommandContext } from './command.js';

/** One thing to send. */
export interface SendInput {
  /** What a person calls it. */
  readonly name: string;
  /** Rejects with an `InputError` for what cannot be sent. */
  readonly read: () => Promise<string>;
}

/** Data that cannot be sent; the message completes a sentence that begins with the input's name. */
export class InputError extends Error {}

export type SendInputs =
  | { readonly ok: true; readonly inputs: readonly SendInput[] }
  | { readonly ok: false; readonly mistakes: readonly string[] };

/** Longer than any relay takes (`--max-body`). */
const maxFileBytes = 256 * 1024 ** 2;

/**
 * What the words of the command line stand for: data where a word begins with `{` or `[`, the standard input where it is
 * `-`, else a file. Files are looked for now and read when their turn comes.
 */
export async function sendInputs(
  operands: readonly string[],
  { stdinBytes }: Pick<CommandContext, 'stdinBytes'>,
): Promise<SendInputs> {
  const mistakes: string[] = [];
  const inputs: SendInput[] = [];
  for (const [index, word] of operands.entries()) {
    if (/^\s*[{[]/.test(word)) {
      const name = operands.length === 1 ? 'data' : `data ${index + 1}`;
      inputs.push({ name, read: async () => checked(await Promise.resolve(word)) });
    } else if (word === '-') {
      inputs.push({ name: 'standard input', read: async () => checked(textOf(await stdinBytes())) });
    } else {
      const trouble = await troubleWith(word);
      if (trouble !== undefined) mistakes.push(trouble);
      inputs.push({ name: word, read: () => readJsonFile(word) });
    }
  }
  if (operands.length === 0) {
    mistakes.push('there is nothing to send: give a file, JSON, or - for the standard input');
  }
  if (operands.filter((word) => word === '-').length > 1) {
    mistakes.push('-: the standard input can be sent once');
  }
  return mistakes.length > 0 ? { ok: false, mistakes } : { ok: true, inputs };
}

async function troubleWith(path: string): Promise<string | undefined> {
  const shown = JSON.stringify(path);
  try {
    const found = await stat(path);
    if (found.isDirectory()) return `${shown} is a directory`;
    return found.size > maxFileBytes ? `${shown} is larger than any relay takes` : undefined;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return `there is no file ${shown} (JSON itself begins with { or [)`;
    return `${shown} cannot be read (${code})`;
  }
}

async function readJsonFile(path: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new InputError(`cannot be read (${codeOf(error)})`);
  }
  return checked(textOf(bytes));
}

/** Text as it will be delivered, byte for byte; so a byte order mark is not dropped but refused, as JSON has none. */
function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new InputError('is not UTF-8');
  }
}

/** The relay would refuse it as well, and could not say what is wrong with it. */
function checked(text: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(`is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof value !== 'object' || value === null) {
    throw new InputError('is JSON, but neither an object nor an array, which is all that a relay takes');
  }
  return text;
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
