import { type Measured, inOrder, measure } from './baseline.js';
import { covers } from './coverage.js';
import { type Mutant, mutate } from './mutants.js';
import type { Played } from './player.js';
import type { Sandbox } from './sandbox.js';

/** What became of a mutant. `unseen`: no test runs the code at all. */
export type Fate =
  | { readonly kind: 'killed'; readonly by: string }
  | { readonly kind: 'survived' }
  | { readonly kind: 'unseen' };

/** As long as it takes unchanged would be fair; but other work may share the processor. */
function patienceMs({ ms }: Measured): number {
  return 3000 + 6 * ms;
}

/** Tries the mutants of one file, one after another. */
export async function* tryMutants(
  file: string,
  mutants: readonly Mutant[],
  sandbox: Sandbox,
): AsyncGenerator<{ readonly mutant: Mutant; readonly fate: Fate }> {
  const source = sandbox.read(file);
  const folder = file.split('/', 1)[0] ?? '';
  const judges = inOrder(file, await measure(folder, sandbox));
  for (const mutant of mutants) {
    const seeing = judges.filter(({ coverage }) => covers(coverage, file, mutant.at));
    if (seeing.length === 0) {
      yield { mutant, fate: { kind: 'unseen' } };
      continue;
    }
    sandbox.write(file, mutate(source, mutant));
    const patience = new Map(seeing.map((judge) => [judge.file, patienceMs(judge)]));
    const played = await sandbox.play({
      files: seeing.map((judge) => judge.file),
      timeoutMs: (name) => patience.get(name) ?? 0,
    });
    yield { mutant, fate: fateOf(played) };
  }
  sandbox.write(file, source);
}

function fateOf(played: Played): Fate {
  if (played.kind === 'green') return { kind: 'survived' };
  return { kind: 'killed', by: played.kind === 'red' ? `${played.file}: ${played.test}` : 'its slowness' };
}
