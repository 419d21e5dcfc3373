import { byId, el, Keyed, setText } from './dom.js';
import { formatApp, formatBytes, formatCount, formatDuration, plural } from './format.js';
import { hostOf } from './row.js';
import type { Gauge, LaneFigures, Summary } from './wire.js';

interface ShownGauge extends Gauge {
  readonly label: string;
  readonly unit: 'count' | 'bytes';
}

/** Queue, lanes and long polls: what only the operator needs. */
export class OperatorView {
  readonly #gauges = new Keyed(byId('gauges', HTMLElement), gaugeOf);
  readonly #lanes = new Keyed(byId('lanes', HTMLElement), laneOf);

  show({ queue, record, version, startedAt }: Summary): void {
    const gauges: readonly ShownGauge[] = [
      { label: 'Unfinished exports', unit: 'count', ...queue.unfinished },
      { label: 'Attempts in flight', unit: 'count', ...queue.inFlight },
      { label: 'Long polls held', unit: 'count', ...queue.longPolls },
      { label: 'Memory for data and results', unit: 'bytes', ...queue.memoryBytes },
      { label: 'Results kept for apps', unit: 'count', ...queue.keptResults },
      { label: 'Entries of this record', unit: 'count', ...record.held },
    ];
    this.#gauges.show(gauges, ({ label }) => label);
    this.#lanes.show(queue.fullest, ({ app, destination }) => `${destination} ${app}`);
    const more = queue.lanes - queue.fullest.length;
    setText(
      byId('lanes-note', HTMLElement),
      queue.fullest.length === 0
        ? 'No lane has anything to do.'
        : `${plural(queue.lanes, 'lane')} at work${more > 0 ? '; those with the most exports are shown' : ''}.`,
    );
    setText(
      byId('build', HTMLElement),
      `export-relay ${version}, running for ${formatDuration(Date.now() - Date.parse(startedAt))}`,
    );
  }
}

function gaugeOf({ label, now, max, unit }: ShownGauge): Element {
  const write = unit === 'bytes' ? formatBytes : formatCount;
  const share = max === 0 ? 0 : Math.min(1, now / max);
  const bar = el('span', { 'class': share > 0.8 ? 'bar high' : 'bar', 'aria-hidden': 'true' });
  bar.style.setProperty('--share', String(share));
  return el(
    'div',
    { class: 'gauge' },
    el('dt', {}, label),
    el('dd', {}, el('b', {}, write(now)), ` of ${write(max)}`, bar),
  );
}

function laneOf({ app, destination, pending, processing, since }: LaneFigures): Element {
  const text = (label: string, kind: string, content: string): Element =>
    el('td', { 'role': 'cell', 'class': kind, 'data-label': label }, el('div', {}, content));
  return el(
    'tr',
    { role: 'row' },
    text('To', 'to', hostOf(destination)),
    text('App', 'app', formatApp(app)),
    text('Waiting', 'number', formatCount(pending)),
    text('Leaving', 'number', formatCount(processing)),
    text('Oldest', 'number', formatDuration(Date.now() - Date.parse(since))),
  );
}
