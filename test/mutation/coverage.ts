import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The parts of files of dist that ran, as pairs of offsets: from, to, from, to. */
export type Coverage = Readonly<Record<string, readonly number[]>>;

interface CoverageRange {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

interface CoverageFile {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly { readonly ranges: readonly CoverageRange[] }[];
  }[];
}

/** What all processes that wrote their coverage (NODE_V8_COVERAGE) into this directory ran of `dist`. */
export function readCoverage(directory: string, dist: string): Coverage {
  const ran = new Map<string, Uint8Array>();
  for (const name of readdirSync(directory)) {
    const { result } = JSON.parse(readFileSync(join(directory, name), 'utf8')) as CoverageFile;
    for (const { url, functions } of result) {
      const file = url.startsWith('file:') ? fileURLToPath(url) : '';
      if (!file.startsWith(`${dist}/`)) continue;
      const own = painted(functions.flatMap(({ ranges }) => ranges));
      const before = ran.get(file.slice(dist.length + 1));
      ran.set(file.slice(dist.length + 1), before === undefined ? own : either(before, own));
    }
  }
  return Object.fromEntries([...ran].map(([file, bytes]) => [file, runsOf(bytes)]));
}

export function covers(coverage: Coverage, file: string, offset: number): boolean {
  const runs = coverage[file] ?? [];
  return runs.some((from, index) => index % 2 === 0 && from <= offset && offset < (runs[index + 1] ?? 0));
}

/** Inner ranges speak for their part of the outer ones. */
function painted(ranges: readonly CoverageRange[]): Uint8Array {
  const outerFirst = [...ranges].sort((a, b) => b.endOffset - b.startOffset - (a.endOffset - a.startOffset));
  const bytes = new Uint8Array(Math.max(0, ...ranges.map(({ endOffset }) => endOffset)));
  for (const { startOffset, endOffset, count } of outerFirst) {
    bytes.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  }
  return bytes;
}

function either(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((ran, index) => ran | (b[index] ?? 0));
}

function runsOf(bytes: Uint8Array): readonly number[] {
  const runs: number[] = [];
  for (const [index, ran] of bytes.entries()) if (ran !== (bytes[index - 1] ?? 0)) runs.push(index);
  return runs.length % 2 === 0 ? runs : [...runs, bytes.length];
}
