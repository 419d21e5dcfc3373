/**
 * `npm run faults [-- r05 …] [--short] [--json] [--write]`: plays the scenarios in full and prints what was asked and
 * seen; `--write` also puts that into docs/reliability.md.
 */
import { parseArgs } from 'node:util';
import { faultFlags } from '../../endurance/flags.js';
import type { Cleanup } from '../../helpers/scripted_destination.js';
import { scenarios } from './all.js';
import { writeFigures } from './write_figures.js';
import type { Outcome, Scale, Scenario } from './scenario.js';

async function play({ id, name, obstacle, run }: Scenario, scale: Scale): Promise<Outcome> {
  const skipped = obstacle?.();
  if (skipped !== undefined) return { id, name, seconds: 0, skipped, figures: [] };
  const releases: (() => unknown)[] = [];
  const t: Cleanup = { teardown: (release) => void releases.push(release) };
  const begunAtMs = performance.now();
  const seconds = (): number => Math.round((performance.now() - begunAtMs) / 100) / 10;
  try {
    return { id, name, figures: await run(t, scale), seconds: seconds() };
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { id, name, figures: [], error: text, seconds: seconds() };
  } finally {
    for (const release of releases.reverse()) await release();
  }
}

function rows({ id, name, seconds, skipped, error, figures }: Outcome): string {
  const lines = [`${id}  ${name} (${seconds} s)`];
  if (skipped !== undefined) lines.push(`     skipped: ${skipped}`);
  if (error !== undefined) lines.push(`     MISSED  ${error}`);
  for (const { what, asked, seen, met } of figures) {
    lines.push(`     ${met ? 'met   ' : 'MISSED'}  ${what}: asked ${asked}, seen ${seen}`);
  }
  return `${lines.join('\n')}\n`;
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: faultFlags });
const chosen = scenarios.filter(({ id }) => positionals.length === 0 || positionals.includes(id));
if (chosen.length === 0) {
  process.stderr.write(`there are ${[...new Set(scenarios.map(({ id }) => id))].join(', ')}\n`);
  process.exit(2);
}
const outcomes: Outcome[] = [];
for (const scenario of chosen) {
  const outcome = await play(scenario, values.short ? 'short' : 'full');
  outcomes.push(outcome);
  if (!values.json) process.stdout.write(rows(outcome));
  if (values.write) await writeFigures(outcome);
}
if (values.json) process.stdout.write(`${JSON.stringify(outcomes, undefined, 2)}\n`);
const missed = outcomes.filter(
  ({ error, figures }) => error !== undefined || figures.some(({ met }) => !met),
);
if (!values.json) process.stdout.write(`${outcomes.length} scenarios, ${missed.length} missed\n`);
process.exit(missed.length === 0 ? 0 : 1);
