import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { measureGrowth } from './growth/growth.js';
import { linesOf, machine, markdownOf, type RowReport } from './harness/report.js';
import { type Effort, meetsBar } from './harness/row.js';
import { topFunctions } from './profile.js';
import { rows } from './rows/index.js';

const help = `Usage: npm run bench -- [NAME …] [flags]
       npm run bench -- growth [CURVE …] [flags]
       npm run bench -- profile DIR

Measures what the relay promises about its speed, each figure against its yardstick in the same run. Without a name,
everything; it takes about fifteen minutes and wants a machine that does nothing else. Ends with 1 if a figure falls
short of its bar. \`growth\` measures how speed and memory change with size, and plots it: pending,
finished, waiters, lanes, bodies, latencies. \`profile\` prints where measured relays spent most time, from the profiles
that --cpu-prof has left.

      --list          Print the names and what they measure.
      --rounds N      Rounds of each measurement. [5]
      --scale X       How much each round measures, such as 0.2 to try something out. [1]
      --json FILE     Write all figures there, round by round.
      --markdown FILE Write them there as a table.
      --out DIR       Where growth leaves its figures and plots. [docs/performance]
      --cpu-prof DIR  Leave a CPU profile of each measured relay there (which slows it down).
  -h, --help          Print this page.
`;

const flags = {
  'list': { type: 'boolean' },
  'rounds': { type: 'string', default: '5' },
  'scale': { type: 'string', default: '1' },
  'out': { type: 'string', default: 'docs/performance' },
  'json': { type: 'string' },
  'markdown': { type: 'string' },
  'cpu-prof': { type: 'string' },
  'help': { type: 'boolean', short: 'h' },
} as const;

async function main(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: argv, allowPositionals: true, options: flags });
  const out = (text: string): boolean => process.stdout.write(text);
  if (values.help === true) {
    out(help);
    return 0;
  }
  if (values.list === true) {
    for (const { name, what } of rows) out(`${name.padEnd(20)} ${what}\n`);
    return 0;
  }
  const effort: Effort = {
    rounds: Number(values.rounds),
    scale: Number(values.scale),
    profileDir: values['cpu-prof'],
  };
  if (positionals[0] === 'profile') {
    for (const line of await topFunctions(positionals[1] ?? '.', 10)) out(`${line}\n`);
    return 0;
  }
  if (positionals[0] === 'growth') {
    await measureGrowth(values.out, positionals.slice(1), effort, out);
    return 0;
  }
  const wanted = positionals.length === 0 ? rows : rows.filter(({ name }) => positionals.includes(name));
  const unknown = positionals.filter((name) => !rows.some((row) => row.name === name));
  if (unknown.length > 0) {
    process.stderr.write(`bench: there is no ${unknown.join(', ')}; --list names what there is\n`);
    return 2;
  }
  const reports: RowReport[] = [];
  for (const { name, what, measure } of wanted) {
    const report = { name, what, figures: await measure(effort) };
    reports.push(report);
    out(`${linesOf(report)}\n`);
  }
  if (values.json !== undefined) {
    const { rounds, scale } = effort;
    await writeFile(
      values.json,
      `${JSON.stringify({ machine: machine(), rounds, scale, rows: reports }, null, 1)}\n`,
    );
  }
  if (values.markdown !== undefined) await writeFile(values.markdown, markdownOf(reports));
  const short = reports.filter(({ figures }) => !figures.every(meetsBar)).map(({ name }) => name);
  out(short.length === 0 ? 'Every figure meets its bar.\n' : `Falls short: ${short.join(', ')}\n`);
  return short.length === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
