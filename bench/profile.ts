import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** What is read of a V8 CPU profile. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** The functions in which a profiled process spent most time itself, over all profiles of a directory. */
export async function topFunctions(directory: string, count: number): Promise<readonly string[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.cpuprofile'));
  const spent = new Map<string, number>();
  for (const name of names) {
    const profile = JSON.parse(await readFile(join(directory, name), 'utf8')) as CpuProfile;
    const nodes = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
    profile.samples.forEach((id, at) => {
      const where = nodes.get(id) ?? '';
      if (where !== '(idle)') spent.set(where, (spent.get(where) ?? 0) + (profile.timeDeltas[at] ?? 0));
    });
  }
  const total = [...spent.values()].reduce((sum, micros) => sum + micros, 0);
  return [...spent]
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([where, micros]) => `${((100 * micros) / total).toFixed(1).padStart(5)} %  ${where}`);
}

/** The function and its file, without the directories that differ between machines. */
function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const file = url.replace(/^.*\/(?:node_modules\/|(?=dist\/))/, '');
  return file === '' ? functionName : `${functionName || '(anonymous)'} ${file}:${lineNumber + 1}`;
}
