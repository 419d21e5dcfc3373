import { createRequire } from 'node:module';
import { cpus, totalmem } from 'node:os';
import { type Bar, type Figure, meetsBar } from './row.js';
import { median } from './summary.js';

/** The figures of one row, as they are printed and written. */
export interface RowReport {
  readonly name: string;
  readonly what: string;
  readonly figures: readonly Figure[];
}

/** What figures depend on; nothing that names the machine. */
export function machine(): Readonly<Record<string, string | number>> {
  return {
    processors: cpus().length,
    processor: cpus()[0]?.model ?? 'unknown',
    memoryGib: Math.round(totalmem() / 1024 ** 3),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    undici: undiciVersion(),
  };
}

/** Of the package: `process.versions.undici` is the one that Node has in it for its `fetch`. */
function undiciVersion(): string {
  const { version } = createRequire(import.meta.url)('undici/package.json') as { readonly version: string };
  return version;
}

/** A row as lines of text: what was measured, the medians with their spread, the bar, and the verdict. */
export function linesOf({ name, what, figures }: RowReport): string {
  const lines = figures.flatMap((figure) => [
    `  ${figure.what === '' ? '' : `${figure.what}: `}${verdictOf(figure)}`,
    `      ${figure.instead ?? 'relay'} ${spread(figure.relay)} ${figure.unit}` +
      (figure.yardstick === undefined ? '' : `, yardstick ${spread(figure.yardstick)} ${figure.unit}`),
    ...(figure.cpuMicros === undefined ? [] : [`      ${cpuLine(figure)}`]),
  ]);
  return [`${name}: ${what}`, ...lines, ''].join('\n');
}

/** The rows as a table in Markdown, for a page. */
export function markdownOf(reports: readonly RowReport[]): string {
  const lines = reports.flatMap(({ what, figures }) =>
    figures.map((figure) =>
      [
        figure.what === '' ? what : `${what}: ${figure.what}`,
        `${spread(figure.relay)} ${figure.unit}`,
        figure.yardstick === undefined ? '' : `${spread(figure.yardstick)} ${figure.unit}`,
        `${spread(figure.compared)}${figure.bar === undefined ? '' : ` ${figure.bar.unit}`}`,
        figure.bar === undefined ? '' : barText(figure.bar),
        figure.bar === undefined ? '' : meetsBar(figure) ? 'yes' : 'no',
      ].join(' | '),
    ),
  );
  const head = ['what | relay | yardstick | compared | wanted | met', '---|---|---|---|---|---'];
  return `${[...head, ...lines].map((line) => `| ${line} |`).join('\n')}\n`;
}

function verdictOf(figure: Figure): string {
  const { compared, bar } = figure;
  const value = `${spread(compared)}${bar === undefined ? '' : ` ${bar.unit}`}`;
  if (bar === undefined) return value;
  return `${value}, wanted ${barText(bar)}: ${meetsBar(figure) ? 'pass' : 'FALLS SHORT'}`;
}

function barText({ kind, value, unit }: Bar): string {
  return `${kind} ${value} ${unit}`;
}

function cpuLine({ instead = 'relay', cpuMicros }: Figure): string {
  const { relay = [], yardstick = [] } = cpuMicros ?? {};
  const share = median(yardstick) / median(relay);
  return `processor time each: ${instead} ${spread(relay)} µs, yardstick ${spread(yardstick)} µs (${digits(share)} ×)`;
}

/** Median, least and greatest. */
function spread(values: readonly number[]): string {
  return `${digits(median(values))} (${digits(Math.min(...values))} … ${digits(Math.max(...values))})`;
}

/** Three digits that count. */
function digits(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return Math.abs(value) >= 1000
    ? Math.round(value).toLocaleString('en-US')
    : String(Number(value.toPrecision(3)));
}
