/** What `npm run mutants -- …` was asked for. */
export interface MutantArguments {
  /** Beginnings of paths below dist: `macaroon/`, `job/lanes.js`. */
  readonly paths: readonly string[];
  readonly json: boolean;
  /** Only those that survived the last time and are not explained. */
  readonly again: boolean;
  /** How many of each file; all if it is not given. */
  readonly sample: number | undefined;
  readonly seed: number;
}

export const defaultPaths = ['macaroon/', 'job/', 'delivery/'] as const;

/** The arguments, or what is wrong with them. */
export function parseMutantArguments(argv: readonly string[]): MutantArguments | string {
  const paths: string[] = [];
  const flags = new Set<string>();
  const numbers = new Map<string, number>();
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (word === '--json' || word === '--again') flags.add(word);
    else if (word === '--sample' || word === '--seed') {
      at += 1;
      if (!/^[1-9]\d{0,8}$/.test(argv[at] ?? '')) return `${word} expects a whole number from 1`;
      numbers.set(word, Number(argv[at]));
    } else if (word.startsWith('-')) return `there is no ${word}`;
    else paths.push(pathBelowDist(word));
  }
  return {
    paths: paths.length === 0 ? defaultPaths : paths,
    json: flags.has('--json'),
    again: flags.has('--again'),
    sample: numbers.get('--sample'),
    seed: numbers.get('--seed') ?? 1,
  };
}

/** `src/job/lanes.ts`, `dist/job/lanes.js` and `job/lanes` are one file; `job` is a folder. */
function pathBelowDist(word: string): string {
  const path = word.replace(/^(?:\.\/)?(?:src|dist)\//, '').replace(/\.[jt]s$/, '');
  return path.includes('/') && !path.endsWith('/') ? `${path}.js` : `${path.replace(/\/$/, '')}/`;
}
