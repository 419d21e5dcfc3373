import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Coverage, readCoverage } from './coverage.js';
import type { Sandbox } from './sandbox.js';

/** What a test file does while nothing is changed. */
export interface Measured {
  readonly file: string;
  readonly ms: number;
  readonly coverage: Coverage;
}

/**
 * Which tests judge a folder of src besides its own: those through which parts of it are seen at work. All that ever
 * pass through it would take hours, and what only they notice is noticed by accident.
 */
const otherJudges: Readonly<Record<string, RegExp>> = {
  macaroon: /^cli\/(?:inspect|mint)\.test/,
  job: /^journal\/journal\.test/,
  delivery: /^(?:faults\/(?!broken_disk|silence)\w+|http\/signing)\.test/,
};

/** What measures something, and needs long for it. */
const leftOut = 'memory.test';

const cacheFile = 'build/mutants/coverage.json';

/** The test files for a folder of src, each played once and remembered until it, a helper or dist changes. */
export async function measure(folder: string, sandbox: Sandbox): Promise<readonly Measured[]> {
  const cache = new Map<string, Measured>(existsSync(cacheFile) ? read(cacheFile) : []);
  const common = digestOf(sharedCode(sandbox.directory));
  const measured: Measured[] = [];
  for (const file of testsFor(folder, sandbox.directory)) {
    const key = `${file} ${digestOf([join(sandbox.directory, 'build/test', file)])} ${common}`;
    const known = cache.get(key) ?? (await measureOne(file, sandbox));
    cache.set(key, known);
    measured.push(known);
  }
  mkdirSync(dirname(cacheFile), { recursive: true });
  const current = [...cache].filter(([key]) => key.endsWith(common));
  writeFileSync(cacheFile, JSON.stringify(current));
  return measured;
}

/** The test file that has the name of the file comes first, then those of its folder, and quick ones before others. */
export function inOrder(file: string, measured: readonly Measured[]): readonly Measured[] {
  const [folder = '', name = ''] = file.replace(/\.js$/, '').split('/');
  const distance = (test: string): number =>
    test === `${folder}/${name}.test.js` ? 0 : test.startsWith(`${folder}/`) ? 1 : 2;
  return [...measured].sort((a, b) => distance(a.file) - distance(b.file) || a.ms - b.ms);
}

function testsFor(folder: string, root: string): readonly string[] {
  return readdirSync(join(root, 'build/test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.startsWith(`${folder}/`) || otherJudges[folder]?.test(file) === true)
    .filter((file) => file.endsWith('.test.js') && !file.includes(leftOut))
    .sort();
}

async function measureOne(file: string, sandbox: Sandbox): Promise<Measured> {
  const directory = join(sandbox.directory, 'coverage');
  const timeoutMs = (): number => 120_000;
  const played = await sandbox.playCovered({ files: [file], timeoutMs }, directory);
  if (played.kind !== 'green') throw new Error(`${file} is not green as it is: ${JSON.stringify(played)}`);
  const coverage = readCoverage(directory, join(sandbox.directory, 'dist'));
  rmSync(directory, { recursive: true, force: true });
  return { file, ms: Math.round(played.ms), coverage };
}

/** What every test file may stand on. */
function sharedCode(root: string): readonly string[] {
  return ['dist', 'build/test']
    .flatMap((name) =>
      readdirSync(join(root, name), { recursive: true, encoding: 'utf8' }).map((file) =>
        join(root, name, file),
      ),
    )
    .filter((name) => /(?<!\.test)\.js$/.test(name) && !name.includes('/mutation/'))
    .sort();
}

function digestOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex');
}

function read(file: string): readonly [string, Measured][] {
  return JSON.parse(readFileSync(file, 'utf8')) as [string, Measured][];
}
