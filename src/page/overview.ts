import { byId, setText } from './dom.js';
import { formatBytes, formatCount, formatTime, plural } from './format.js';
import type { Summary } from './wire.js';

/** The first thing to read: how things stand, in a sentence and in four figures. */
export class Overview {
  readonly #sentence = byId('sentence', HTMLElement);
  readonly #notReady = byId('not-ready', HTMLElement);
  readonly #record = byId('record', HTMLElement);
  readonly #figures = {
    open: byId('figure-open', HTMLElement),
    left: byId('figure-left', HTMLElement),
    bytes: byId('figure-bytes', HTMLElement),
    undelivered: byId('figure-undelivered', HTMLElement),
    refused: byId('figure-refused', HTMLElement),
  };

  show(summary: Summary): void {
    const { open, last24Hours } = summary;
    setText(this.#sentence, sentenceOf(summary));
    setText(this.#figures.open, formatCount(open.pending + open.processing));
    setText(this.#figures.left, formatCount(last24Hours.delivered));
    setText(this.#figures.bytes, formatBytes(last24Hours.bytes));
    this.#count(this.#figures.undelivered, last24Hours.undelivered, 'warn');
    this.#count(this.#figures.refused, last24Hours.refused, 'bad');
    setText(this.#record, recordOf(summary));
    this.#notReady.hidden = summary.notReady === null;
    setText(
      this.#notReady,
      summary.notReady === null ? '' : `No exports are taken now: ${summary.notReady}.`,
    );
    setText(byId('verify-command', HTMLElement), commandOf(summary));
    setText(byId('verify-state', HTMLElement), auditOf(summary));
  }

  /** A figure that is no cause for concern looks like none. */
  #count(element: HTMLElement, count: number, concern: string): void {
    setText(element, formatCount(count));
    element.classList.toggle(concern, count > 0);
  }
}

function sentenceOf({ open, last24Hours, destinations }: Summary): string {
  const leaving = open.pending + open.processing;
  const now =
    leaving === 0 ? 'Nothing is leaving now.' : `${plural(leaving, 'export is', 'exports are')} leaving now.`;
  const { delivered, undelivered, refused, bytes } = last24Hours;
  if (delivered + undelivered + refused === 0) return `${now} Nothing has left in the last 24 hours.`;
  const places = destinations.top.length + destinations.others;
  const left = `In the last 24 hours ${plural(delivered, 'export was', 'exports were')} delivered (${formatBytes(bytes)}).`;
  return `${now} ${left} The record knows ${plural(places, 'destination')}.`;
}

function recordOf({ record, startedAt }: Summary): string {
  const held = `${plural(record.held.now, 'entry', 'entries')} since ${formatTime(startedAt, new Date())}`;
  return record.forgotten === 0
    ? held
    : `${held}; ${formatCount(record.forgotten)} older ones had to make room`;
}

function commandOf({ auditFile }: Summary): string {
  return `export-relay audit verify ${auditFile === null ? 'FILE' : quoted(auditFile)}`;
}

/** As a shell takes it for one word. */
function quoted(file: string): string {
  return /^[\w./-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`;
}

function auditOf({ auditFile }: Summary): string {
  return auditFile === null
    ? 'No audit log is being written: the operator can start one with --audit FILE.'
    : 'An audit log is being written, with a line for every export that left or was refused.';
}
