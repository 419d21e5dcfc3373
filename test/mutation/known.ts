import { existsSync, readFileSync } from 'node:fs';
import { type MutantName, mutantsOf } from './mutants.js';

/** A mutant that no test notices, and why none needs to. */
export interface KnownSurvivor extends MutantName {
  readonly reason: string;
}

/** Some mutants of one file that survive for one reason, as they stand in survivors.json. */
interface KnownGroup {
  readonly file: string;
  readonly reason: string;
  readonly mutants: readonly {
    readonly in: string;
    readonly original: string;
    readonly mutated: string;
    readonly ordinal?: number;
  }[];
}

export const survivorsFile = 'test/mutation/survivors.json';

export function readKnownSurvivors(): readonly KnownSurvivor[] {
  const groups = JSON.parse(readFileSync(survivorsFile, 'utf8')) as readonly KnownGroup[];
  return groups.flatMap(({ file, reason, mutants }) =>
    mutants.map((mutant) => ({ ordinal: 1, ...mutant, file, reason })),
  );
}

export function isSame(a: MutantName, b: MutantName): boolean {
  return (
    a.file === b.file &&
    a.in === b.in &&
    a.original === b.original &&
    a.mutated === b.mutated &&
    a.ordinal === b.ordinal
  );
}

/** Those of these whose code has changed: no mutant is like them any more. */
export function withoutMutant(known: readonly KnownSurvivor[]): readonly KnownSurvivor[] {
  const files = [...new Set(known.map(({ file }) => file))].filter((file) => existsSync(`dist/${file}`));
  const mutants = files.flatMap((file) => mutantsOf(file, readFileSync(`dist/${file}`, 'utf8')));
  return known.filter((entry) => !mutants.some((mutant) => isSame(entry, mutant)));
}
