/** One curve over sizes that span several powers of ten. */
export interface Plot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** Sizes and what was measured there; neither is negative, and no size is 0. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

const width = 640;
const height = 320;
const left = 76;
const right = 20;
const top = 40;
const bottom = 52;

/** A plot as SVG: sizes on a logarithmic axis, values from zero on a linear one. Readable on light and on dark. */
export function svgOf({ title, xLabel, yLabel, points }: Plot): string {
  const sizes = points.map(([x]) => Math.log10(x));
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const ceiling = niceCeiling(Math.max(...points.map(([, y]) => y)));
  const xOf = (x: number): number =>
    left + ((Math.log10(x) - least) / (most - least || 1)) * (width - left - right);
  const yOf = (y: number): number => height - bottom - (y / ceiling) * (height - top - bottom);
  const line = points.map(([x, y]) => `${xOf(x).toFixed(1)},${yOf(y).toFixed(1)}`).join(' ');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">`,
    `<style>${style}</style>`,
    `<text class="title" x="${left}" y="22">${title}</text>`,
    ...[0, 0.25, 0.5, 0.75, 1].flatMap((share) => {
      const y = yOf(ceiling * share).toFixed(1);
      return [
        `<line class="grid" x1="${left}" x2="${width - right}" y1="${y}" y2="${y}"/>`,
        `<text class="end" x="${left - 8}" y="${y}" dy="4">${short(ceiling * share)}</text>`,
      ];
    }),
    ...points.map(
      ([x]) => `<text class="middle" x="${xOf(x).toFixed(1)}" y="${height - bottom + 18}">${short(x)}</text>`,
    ),
    `<text class="middle" x="${(left + width - right) / 2}" y="${height - 12}">${xLabel}</text>`,
    `<text class="middle" transform="translate(16 ${(top + height - bottom) / 2}) rotate(-90)">${yLabel}</text>`,
    `<polyline points="${line}"/>`,
    ...points.map(([x, y]) => `<circle cx="${xOf(x).toFixed(1)}" cy="${yOf(y).toFixed(1)}" r="4"/>`),
    '</svg>',
    '',
  ].join('\n');
}

const style = [
  'svg{background:#fff;font:12px system-ui,sans-serif}text{fill:#333}.title{font-size:15px;font-weight:600}',
  '.end{text-anchor:end}.middle{text-anchor:middle}.grid{stroke:#ddd}',
  'polyline{fill:none;stroke:#0a62c4;stroke-width:2}circle{fill:#0a62c4}',
  '@media(prefers-color-scheme:dark){svg{background:#16181d}text{fill:#ccc}.grid{stroke:#3a3d45}',
  'polyline{stroke:#6cb2ff}circle{fill:#6cb2ff}}',
].join('');

/** The next of 1, 2, 2.5, 5, 10 times a power of ten. */
function niceCeiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 2.5, 5, 10].find((step) => step * power >= value) ?? 10) * power;
}

function short(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`;
  if (value >= 1e4) return `${Number((value / 1e3).toPrecision(3))} k`;
  return String(Number(value.toPrecision(3)));
}
