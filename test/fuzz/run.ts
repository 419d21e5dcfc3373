/**
 * `npm run fuzz [-- NAME …] [--minutes N] [--seed S] [--input FILE]`: plays mutations of a corpus to whatever reads what
 * strangers write, each target for so long. An input that breaks something is shortened and written to build/fuzz;
 * `--input` plays it again.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseFuzzArguments } from './arguments.js';
import { type Breakage, campaign } from './campaign.js';
import type { Target } from './target.js';
import { targets } from './targets.js';
import { watchForHangs } from './watchdog.js';

function usage(mistake: string): never {
  process.stderr.write(`${mistake}; the targets are ${targets.map(({ name }) => name).join(', ')}\n`);
  process.exit(2);
}

function write(target: Target, seed: number, { index, input, what }: Breakage): void {
  const file = `build/fuzz/${target.name}-${seed}-${index}`;
  mkdirSync('build/fuzz', { recursive: true });
  writeFileSync(file, input);
  process.stdout.write(
    [
      `${target.name}: BROKEN by input ${index} of seed ${seed}, in ${file} (${input.length} bytes):`,
      `  ${what}`,
      `  ${JSON.stringify(input.toString('latin1').slice(0, 500))}`,
      `  again: npm run fuzz -- ${target.name} --input ${file}\n`,
    ].join('\n'),
  );
}

const asked = parseFuzzArguments(process.argv.slice(2));
if (typeof asked === 'string') usage(asked);
const { chosen, minutes, seed, input } = asked;

let broken = 0;
for (const target of chosen) {
  const one = input === undefined ? undefined : readFileSync(input);
  const played = one === undefined ? target : { ...target, corpus: () => [one] };
  const begunAtMs = performance.now();
  const passedMs = (): number => performance.now() - begunAtMs;
  const watchdog = watchForHangs(target.name, seed);
  const { inputs, breakage } = await campaign(played, {
    seed,
    more: (count) => (one === undefined ? passedMs() < minutes * 60_000 : count < 1),
    onInput: watchdog.onInput,
  });
  await watchdog.stop();
  if (breakage !== undefined) {
    broken += 1;
    write(target, seed, breakage);
  }
  const seconds = Math.round(passedMs() / 100) / 10;
  process.stdout.write(`${target.name}: ${inputs} inputs in ${seconds} s, seed ${seed}\n`);
}
process.exit(broken === 0 ? 0 : 1);
