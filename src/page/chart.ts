import { byId, el, svg, valueOf } from './dom.js';
import { formatBytes, formatCount, formatMinute, plural } from './format.js';
import { fetchJson } from './live.js';
import type { Span, Timeline, TimelineRange } from './wire.js';

type Measure = 'exports' | 'bytes';

const width = 960;
const height = 150;
const gap = 0.22;

/** What bars are made of, from the bottom up. */
const series: Readonly<
  Record<Measure, readonly { readonly kind: string; readonly of: (span: Span) => number }[]>
> = {
  exports: [
    { kind: 'delivered', of: (span) => span.delivered },
    { kind: 'undelivered', of: (span) => span.undelivered },
    { kind: 'refused', of: (span) => span.refused },
  ],
  bytes: [{ kind: 'bytes', of: (span) => span.bytes }],
};

/** The time line: a bar for each span, and the same as a table. */
export class Chart {
  readonly #root = byId('chart', HTMLElement);
  readonly #table = byId('chart-rows', HTMLTableSectionElement);
  readonly #form = byId('chart-form', HTMLFormElement);
  #timeline: Timeline | undefined;
  #shown = '';

  constructor() {
    this.#form.addEventListener('submit', (event) => event.preventDefault());
    this.#form.addEventListener('change', () => void this.refresh());
  }

  /** Fetches what is to be shown and shows it. */
  async refresh(): Promise<void> {
    const range = valueOf(this.#form, 'range') === '1h' ? '1h' : '24h';
    this.#timeline = await fetchJson<Timeline>(`/api/timeline?range=${range satisfies TimelineRange}`);
    this.#draw(this.#timeline, valueOf(this.#form, 'measure') === 'bytes' ? 'bytes' : 'exports');
  }

  #draw(timeline: Timeline, measure: Measure): void {
    const drawn = JSON.stringify([timeline, measure]);
    if (drawn === this.#shown) return;
    this.#shown = drawn;
    const totals = timeline.spans.map((span) => sumOf(span, measure));
    const most = roundedUp(Math.max(...totals, 0), measure);
    const fromMs = Date.parse(timeline.from);
    const endMs = fromMs + timeline.spanMs * timeline.spans.length;
    const bars = timeline.spans.map((span, index) => barOf(span, index, timeline, measure, most));
    this.#root.replaceChildren(
      el('p', { 'class': 'scale', 'aria-hidden': 'true' }, most === 0 ? '' : write(most, measure)),
      svg(
        'svg',
        {
          'viewBox': `0 0 ${width} ${height}`,
          'preserveAspectRatio': 'none',
          'role': 'img',
          'aria-label': describe(timeline, measure),
        },
        svg('line', { class: 'base', x1: '0', x2: String(width), y1: String(height), y2: String(height) }),
        svg('line', { class: 'grid', x1: '0', x2: String(width), y1: '0.5', y2: '0.5' }),
        svg('line', {
          class: 'grid',
          x1: '0',
          x2: String(width),
          y1: String(height / 2),
          y2: String(height / 2),
        }),
        ...bars,
      ),
      el(
        'p',
        { 'class': 'axis', 'aria-hidden': 'true' },
        ...[fromMs, (fromMs + endMs) / 2].map((time) => el('span', {}, formatMinute(time))),
        el('span', {}, 'now'),
      ),
    );
    byId('legend', HTMLElement).hidden = measure === 'bytes';
    this.#table.replaceChildren(...rowsOf(timeline));
  }
}

function sumOf(span: Span, measure: Measure): number {
  return series[measure].reduce((sum, { of }) => sum + of(span), 0);
}

function barOf(span: Span, index: number, timeline: Timeline, measure: Measure, most: number): SVGElement {
  const step = width / timeline.spans.length;
  let top = height;
  const parts = series[measure].flatMap(({ kind, of }) => {
    const value = of(span);
    if (value === 0) return [];
    // One refusal among thousands of exports has to be seen.
    const size = Math.max(3, (value / most) * height);
    top -= size;
    return svg('rect', {
      class: kind,
      x: String((index + gap / 2) * step),
      width: String(step * (1 - gap)),
      y: String(Math.max(0, top)),
      height: String(size),
    });
  });
  return svg('g', {}, svg('title', {}, `${timeOf(timeline, index)}: ${wordsOf(span)}`), ...parts);
}

/** The next round figure, so that the scale does not change with every export. */
function roundedUp(most: number, measure: Measure): number {
  if (most === 0) return 0;
  const magnitude = 10 ** Math.floor(Math.log10(most));
  const step = [1, 2, 5, 10].find((factor) => factor * magnitude >= most) ?? 10;
  return Math.max(measure === 'exports' ? 5 : 1000, step * magnitude);
}

function write(value: number, measure: Measure): string {
  return measure === 'bytes' ? formatBytes(value) : formatCount(value);
}

function describe({ spans }: Timeline, measure: Measure): string {
  const total = spans.reduce((sum, span) => sum + sumOf(span, measure), 0);
  const what = measure === 'bytes' ? `${formatBytes(total)} left` : `${plural(total, 'export')} and refusals`;
  return `Bar chart of the time shown: ${what}. The table below it has the figures.`;
}

function rowsOf(timeline: Timeline): readonly Element[] {
  const rows = timeline.spans.flatMap((span, index) =>
    span.delivered + span.undelivered + span.refused === 0
      ? []
      : el(
          'tr',
          {},
          el('th', { scope: 'row' }, timeOf(timeline, index)),
          ...[span.delivered, span.undelivered, span.refused].map((count) =>
            el('td', {}, formatCount(count)),
          ),
          el('td', {}, formatBytes(span.bytes)),
        ),
  );
  return rows.length > 0
    ? rows.reverse()
    : [el('tr', {}, el('td', { colspan: '5' }, 'Nothing in the time shown.'))];
}

function timeOf({ from, spanMs }: Timeline, index: number): string {
  const start = Date.parse(from) + index * spanMs;
  return spanMs === 60_000 ? formatMinute(start) : `${formatMinute(start)}–${formatMinute(start + spanMs)}`;
}

function wordsOf({ delivered, undelivered, refused, bytes }: Span): string {
  return `${formatCount(delivered)} delivered, ${formatCount(undelivered)} not, ${formatCount(refused)} refused, ${formatBytes(bytes)} left`;
}
