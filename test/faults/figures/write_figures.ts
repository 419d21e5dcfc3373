import { readFile, writeFile } from 'node:fs/promises';
import { scenarios } from './all.js';
import type { Outcome } from './scenario.js';

const page = 'docs/reliability.md';
const [begin, end] = ['<!-- figures -->', '<!-- /figures -->'];

/** Puts what a scenario has shown into the page, in the place of what it showed before. */
export async function writeFigures(outcome: Outcome): Promise<void> {
  if (outcome.skipped !== undefined || outcome.error !== undefined) return;
  const text = await readFile(page, 'utf8');
  const [before = '', rest = ''] = text.split(begin);
  const [written = '', after = ''] = rest.split(end);
  const sections = new Map<string, string>();
  for (const section of written.split(/^(?=### )/m)) {
    const title = /^### (.*)$/m.exec(section)?.[1];
    if (title !== undefined) sections.set(title, section.trim());
  }
  sections.set(titleOf(outcome), sectionOf(outcome));
  const ordered = scenarios.flatMap((scenario) => sections.get(titleOf(scenario)) ?? []);
  await writeFile(page, `${before}${begin}\n\n${ordered.join('\n\n')}\n\n${end}${after}`);
}

function titleOf({ id, name }: Pick<Outcome, 'id' | 'name'>): string {
  return `${id}: ${name}`;
}

function sectionOf(outcome: Outcome): string {
  const rows = outcome.figures.map(
    ({ what, asked, seen, met }) => `| ${what} | ${asked} | ${met ? seen : `**${seen}**`} |`,
  );
  return [
    `### ${titleOf(outcome)}`,
    '',
    `\`npm run faults -- ${outcome.id}\`, ${Math.round(outcome.seconds)} s:`,
    '',
    '<!-- prettier-ignore -->',
    '| what | asked | seen |',
    '|---|---|---|',
    ...rows,
  ].join('\n');
}
