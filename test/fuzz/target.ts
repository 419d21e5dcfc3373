import { readFileSync, readdirSync } from 'node:fs';
import type { Cleanup } from '../helpers/scripted_destination.js';

/** Something that reads bytes of strangers. */
export interface Target {
  readonly name: string;
  /** What inputs are made of: whole inputs, which are played as they are first. */
  readonly corpus: () => readonly Buffer[];
  /** Words of the format. */
  readonly dictionary: readonly (string | Buffer)[];
  /** No input is longer. */
  readonly maxBytes: number;
  /** Opens what all inputs of a campaign are given to; it closes with `t`. */
  readonly open: (t: Cleanup) => Promise<Run> | Run;
}

/** Takes one input; throws where something does not hold that has to. */
export type Run = (input: Buffer) => Promise<void> | void;

const folder = 'test/fixtures/fuzz';

/** The files of a corpus whose names end so, in the order of their names. */
export function corpusFiles(name: string, suffix: string): readonly Buffer[] {
  return readdirSync(`${folder}/${name}`)
    .filter((file) => file.endsWith(suffix))
    .sort()
    .map((file) => readFileSync(`${folder}/${name}/${file}`));
}

/** The lines of a text file of a corpus; empty ones and those that begin with `# ` are left out. */
export function corpusLines(path: string): readonly string[] {
  return readFileSync(`${folder}/${path}`, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('# '));
}

export function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

/** What an action comes to, or `undefined` where it throws: for oracles that throw on what they cannot read. */
export function attempted<Value>(action: () => Value): Value | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
