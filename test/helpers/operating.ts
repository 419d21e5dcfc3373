import { metricsUnderTest, readText } from './metrics.js';

/** One metric as the text declares it. */
interface Declared {
  readonly name: string;
  readonly type: string;
  readonly help: string;
}

/** Every metric that the relay exposes as a program of its own. */
export async function declaredMetrics(): Promise<readonly Declared[]> {
  const { body } = await metricsUnderTest({ processMetrics: true }).render();
  return [...body.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$/gm)].map(
    ([, name = '', help = '', type = '']) => ({ name, help, type }),
  );
}

/** The table of docs/operating/README.md. */
export function metricsTable(declared: readonly Declared[]): string {
  const rows = declared.map(({ name, type, help }) => `| \`${name}\` | ${type} | ${help} |`);
  return ['| metric | type | what |', '|---|---|---|', ...rows].join('\n');
}

/** What stands between two markers in docs/operating/README.md. */
export function readmePart(marker: string): string {
  const readme = readText('docs/operating/README.md');
  const part = readme.split(`<!-- ${marker} -->`)[1]?.split(`<!-- /${marker} -->`)[0];
  if (part === undefined) throw new Error(`docs/operating/README.md has no part ${marker}`);
  return part.replace('<!-- prettier-ignore -->', '').trim();
}

/** The names of the relay's and the process's metrics that a text uses. */
export function metricNamesIn(text: string): readonly string[] {
  return [...new Set(text.match(/\b(?:export_relay|nodejs|process)_[a-z0-9_]+/g) ?? [])];
}

/** Fields by kind of line, from the table in docs/operating/README.md. */
export function documentedLines(): ReadonlyMap<string, ReadonlySet<string>> {
  const rows = readmePart('lines').split('\n').slice(2);
  return new Map(
    rows.map((row) => {
      const [, kind = '', , fields = ''] = row.split(/ *\| */);
      return [
        kind.replaceAll('`', ''),
        new Set([...fields.matchAll(/`([a-z_]+)`/g)].map(([, name = '']) => name)),
      ];
    }),
  );
}
