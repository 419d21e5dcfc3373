import { el } from './dom.js';
import {
  formatApp,
  formatBytes,
  formatCount,
  formatDuration,
  formatTime,
  formatWholeTime,
  plural,
} from './format.js';
import type { ExportRow, Outcome } from './wire.js';

/** What the person reads, and the sign beside it, so that nothing is said by colour alone. */
const outcomes: Readonly<Record<Outcome, readonly [sign: string, word: string]>> = {
  delivered: ['✓', 'Delivered'],
  declined: ['!', 'Declined'],
  failed: ['×', 'Failed'],
  cancelled: ['–', 'Cancelled'],
  refused: ['⊘', 'Refused'],
};

/** A row of what has ended. */
export function endedRow(row: ExportRow): Element {
  const outcome = row.outcome ?? 'delivered';
  const end = row.endedAt ?? row.createdAt;
  return tableRow(outcome, [
    cell('Result', 'result', badge(outcome, row), ...reason(row)),
    cell('To', 'to', ...destination(row)),
    cell('App', 'app', appName(row.app)),
    cell('Size', 'number', formatBytes(row.bytes)),
    cell(
      'Time',
      'number',
      el('time', { datetime: end, title: formatWholeTime(end) }, formatTime(end, new Date())),
      ...reference(row),
    ),
  ]);
}

/** A row of what is on its way. */
export function openRow(row: ExportRow): Element {
  const [kind, sign, word] = stageOf(row);
  return tableRow(kind, [
    cell('State', 'result', el('span', { class: `badge ${kind}` }, hiddenSign(sign), word), ...reason(row)),
    cell('To', 'to', ...destination(row)),
    cell('App', 'app', appName(row.app)),
    cell('Size', 'number', formatBytes(row.bytes)),
    cell(
      'For',
      'number',
      el(
        'time',
        { 'datetime': row.createdAt, 'title': formatWholeTime(row.createdAt), 'data-since': '' },
        sinceText(row.createdAt),
      ),
      ...reference(row),
    ),
  ]);
}

function stageOf({
  state,
  retryAt,
  attempts,
}: ExportRow): readonly [kind: string, sign: string, word: string] {
  if (state === 'Pending') return ['pending', '○', 'Waiting'];
  if (retryAt !== null) return ['retrying', '↻', `Trying again at ${formatTime(retryAt, new Date())}`];
  return ['processing', '→', attempts > 1 ? `Leaving, attempt ${formatCount(attempts)}` : 'Leaving'];
}

/** How long ago an export was accepted. */
export function sinceText(iso: string): string {
  return formatDuration(Date.now() - Date.parse(iso));
}

// The roles say what CSS makes screen readers forget, when it turns the table into cards on a phone.
function tableRow(kind: string, cells: readonly Element[]): Element {
  return el('tr', { role: 'row', class: kind }, ...cells);
}

function cell(label: string, kind: string, ...children: readonly (Node | string)[]): Element {
  return el('td', { 'role': 'cell', 'class': kind, 'data-label': label }, el('div', {}, ...children));
}

function badge(outcome: Outcome, { status, times }: ExportRow): Element {
  const [sign, word] = outcomes[outcome];
  const code = status === null ? [] : [el('span', { class: 'code' }, String(status))];
  const often = times > 1 ? [el('span', { class: 'code' }, `${formatCount(times)} times`)] : [];
  return el('span', { class: `badge ${outcome}` }, hiddenSign(sign), word, ...code, ...often);
}

function hiddenSign(sign: string): Element {
  return el('span', { 'class': 'sign', 'aria-hidden': 'true' }, sign);
}

/** Why it did not arrive, whether the data left all the same, and how often it was tried. */
function reason(row: ExportRow): readonly Element[] {
  const sentences = [row.reason, departure(row)].filter((sentence) => sentence !== null);
  const tries = row.attempts > 1 && row.outcome !== null ? [plural(row.attempts, 'attempt')] : [];
  const text = [sentences.join(' '), ...tries].filter((part) => part !== '').join(' · ');
  return text === '' ? [] : [el('p', { class: 'reason' }, text)];
}

function departure({ outcome, left }: ExportRow): string | null {
  if (outcome === null || outcome === 'delivered' || outcome === 'declined') return null;
  switch (left) {
    case 'no':
      return 'Nothing left.';
    case 'perhaps':
      return 'The data may have left.';
    case 'yes':
      return 'The data did leave.';
  }
}

function destination(row: ExportRow): readonly Element[] {
  const path = `${row.path === '/' ? '' : row.path}${row.query ? '?…' : ''}`;
  const purpose = row.purpose === null ? [] : [el('p', { class: 'purpose' }, row.purpose)];
  return [el('span', { class: 'place' }, el('b', {}, hostOf(row.destination)), path), ...purpose];
}

/** What ties a row to the log. */
function reference({ ref }: ExportRow): readonly Element[] {
  return ref === '' ? [] : [el('span', { class: 'ref', title: 'How its id in the log begins' }, ref)];
}

/** The origin without the scheme where that is the usual one. */
export function hostOf(origin: string): string {
  return origin.startsWith('https://') ? origin.slice('https://'.length) : origin;
}

function appName(app: string): Element {
  return el('span', { class: app === '' ? 'unnamed' : 'name' }, formatApp(app));
}
