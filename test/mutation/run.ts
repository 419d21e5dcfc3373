/**
 * `npm run mutants [-- FILE … --json --again --sample N --seed S]`: changes the compiled code in one place after
 * another, in a copy, and looks whether a test notices. Ends with status 1 if one goes unnoticed that survivors.json
 * does not explain.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dice } from '../helpers/dice.js';
import { parseMutantArguments } from './arguments.js';
import { isSame, readKnownSurvivors, survivorsFile, withoutMutant } from './known.js';
import { type Mutant, type MutantName, describeMutant, mutantsOf } from './mutants.js';
import { Sandbox } from './sandbox.js';
import { tryMutants } from './trial.js';

const lastFile = 'build/mutants/survived.json';

const asked = parseMutantArguments(process.argv.slice(2));
if (typeof asked === 'string') {
  process.stderr.write(`${asked}; see docs/mutation.md\n`);
  process.exit(2);
}
const { paths, json, again, sample, seed } = asked;
const say = (line: string): void => void (json ? process.stderr : process.stdout).write(`${line}\n`);

const compiled = readdirSync('dist', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.js'))
  .sort();
const files = [...new Set(paths.flatMap((path) => compiled.filter((name) => name.startsWith(path))))];
if (files.length === 0) {
  process.stderr.write(`dist has no file below ${paths.join(' or ')}\n`);
  process.exit(2);
}
const last = existsSync(lastFile)
  ? (JSON.parse(readFileSync(lastFile, 'utf8')) as readonly MutantName[])
  : [];
const known = readKnownSurvivors();
const roll = dice(seed);

/** Whether it survived the last time, and that is not explained. */
function isOpen(mutant: Mutant): boolean {
  return last.some((name) => isSame(name, mutant)) && !known.some((name) => isSame(name, mutant));
}

function chosenOf(file: string): readonly Mutant[] {
  const all = mutantsOf(file, sandbox.read(file));
  const wanted = again ? all.filter(isOpen) : all;
  if (sample === undefined || wanted.length <= sample) return wanted;
  const drawn = wanted.map((mutant) => ({ mutant, at: roll() })).sort((a, b) => a.at - b.at);
  const kept = new Set(drawn.slice(0, sample).map(({ mutant }) => mutant));
  return wanted.filter((mutant) => kept.has(mutant));
}

mkdirSync('build/mutants', { recursive: true });
const sandbox = new Sandbox();
process.on('SIGINT', () => {
  sandbox.remove();
  process.exit(130);
});
const tried: Mutant[] = [];
const survivors: Mutant[] = [];
const fresh: Mutant[] = [];
const report: { readonly mutant: MutantName; readonly fate: string }[] = [];
try {
  for (const file of files) {
    let killed = 0;
    const chosen = chosenOf(file);
    for await (const { mutant, fate } of tryMutants(file, chosen, sandbox)) {
      tried.push(mutant);
      report.push({ mutant, fate: fate.kind === 'killed' ? `killed by ${fate.by}` : fate.kind });
      if (fate.kind === 'killed') {
        killed += 1;
        continue;
      }
      survivors.push(mutant);
      if (known.some((entry) => isSame(entry, mutant))) continue;
      fresh.push(mutant);
      say(`${fate.kind} (line ${mutant.line}, ${mutant.operator}): ${describeMutant(mutant)}`);
    }
    say(`${file}: ${chosen.length} mutants, ${killed} killed`);
    const untried = last.filter((name) => !tried.some((mutant) => isSame(name, mutant)));
    writeFileSync(lastFile, JSON.stringify([...untried, ...survivors]));
  }
} finally {
  sandbox.remove();
}

const stale = [
  ...withoutMutant(known),
  ...known.filter(
    (entry) =>
      tried.some((mutant) => isSame(entry, mutant)) && !survivors.some((mutant) => isSame(entry, mutant)),
  ),
];
for (const entry of stale) say(`in ${survivorsFile} for nothing: ${describeMutant(entry)}`);
const explained = survivors.length - fresh.length;
say(
  `${tried.length} mutants, ${tried.length - survivors.length} killed, ${explained} explained, ${fresh.length} unexplained` +
    (sample === undefined ? '' : `; at most ${sample} of each file, seed ${seed}`),
);
if (json) process.stdout.write(`${JSON.stringify(report, undefined, 1)}\n`);
process.exitCode = fresh.length === 0 ? 0 : 1;
