import { byId, Keyed, setText } from './dom.js';
import type { Wanted } from './filters.js';
import { formatCount, plural } from './format.js';
import { fetchJson } from './live.js';
import { endedRow, openRow, sinceText } from './row.js';
import type { ExportPage, ExportRow } from './wire.js';

const openShown = 10;
const endedShown = 25;

/** What is leaving now: the oldest few, which are the first to go or the ones that are stuck. */
export class OpenView {
  readonly #rows = new Keyed<ExportRow>(byId('open-rows', HTMLTableSectionElement), openRow);
  readonly #note = byId('open-note', HTMLElement);
  readonly #table = byId('open-table', HTMLTableElement);

  constructor() {
    setInterval(() => this.#tick(), 1000);
  }

  async refresh(total: number): Promise<void> {
    const { exports } = await fetchJson<ExportPage>(`/api/exports?part=open&limit=${openShown}`);
    this.#rows.show(exports, ({ key }) => key);
    this.#table.hidden = exports.length === 0;
    const more = Math.max(0, total - exports.length);
    setText(
      this.#note,
      exports.length === 0
        ? 'Nothing is leaving now.'
        : more > 0
          ? `and ${formatCount(more)} more behind them`
          : '',
    );
  }

  #tick(): void {
    for (const time of this.#table.querySelectorAll('time')) setText(time, sinceText(time.dateTime));
  }
}

/** What has ended, a page at a time: however long the record is, the document stays small. */
export class EndedView {
  readonly #rows = new Keyed<ExportRow>(byId('ended-rows', HTMLTableSectionElement), endedRow);
  readonly #note = byId('ended-note', HTMLElement);
  readonly #table = byId('ended-table', HTMLTableElement);
  readonly #newer = byId('newer', HTMLButtonElement);
  readonly #older = byId('older', HTMLButtonElement);
  readonly #wanted: () => Wanted;
  /** Where each page up to the one shown begins; the first begins with the newest. */
  #cursors: readonly (string | undefined)[] = [undefined];
  #next: string | null = null;
  #asking: AbortController | undefined;

  constructor(wanted: () => Wanted) {
    this.#wanted = wanted;
    this.#newer.addEventListener('click', () => void this.#turn(this.#cursors.slice(0, -1)));
    this.#older.addEventListener('click', () => void this.#turn([...this.#cursors, this.#next ?? undefined]));
  }

  /** Whether the newest entries are shown; an older page stays as it is while others end. */
  get isNewest(): boolean {
    return this.#cursors.length === 1;
  }

  /** Begins with the newest again: what is wanted has changed. */
  restart(): Promise<void> {
    this.#cursors = [undefined];
    return this.refresh();
  }

  async refresh(): Promise<void> {
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    try {
      const page = await fetchJson<ExportPage>(this.#address(), asking.signal);
      this.#show(page);
    } catch (error) {
      // Another question has come after this one.
      if (!asking.signal.aborted) throw error;
    }
  }

  async #turn(cursors: readonly (string | undefined)[]): Promise<void> {
    this.#cursors = cursors;
    await this.refresh();
    this.#table.scrollIntoView({ block: 'start' });
    // A button that has become unusable loses the focus, and with it a keyboard its place.
    const { activeElement } = document;
    if (activeElement === this.#newer && this.#newer.disabled) this.#older.focus();
    if (activeElement === this.#older && this.#older.disabled) this.#newer.focus();
  }

  #address(): string {
    const { app, destination, outcome, text } = this.#wanted();
    const query = new URLSearchParams({ part: 'ended', limit: String(endedShown) });
    if (app !== undefined) query.set('app', app);
    if (destination !== undefined) query.set('destination', destination);
    if (outcome !== '') query.set('outcome', outcome);
    if (text !== '') query.set('q', text);
    const cursor = this.#cursors.at(-1);
    if (cursor !== undefined) query.set('cursor', cursor);
    return `/api/exports?${query.toString()}`;
  }

  #show({ exports, next }: ExportPage): void {
    this.#rows.show(exports, ({ key }) => key);
    this.#table.hidden = exports.length === 0;
    this.#next = next;
    this.#older.disabled = next === null;
    this.#newer.disabled = this.isNewest;
    const first = (this.#cursors.length - 1) * endedShown;
    setText(this.#note, this.#noteOf(exports.length, first, next));
  }

  #noteOf(count: number, first: number, next: string | null): string {
    if (count > 0) {
      return next === null && this.isNewest
        ? plural(count, 'entry', 'entries')
        : `${formatCount(first + 1)}–${formatCount(first + count)}, newest first`;
    }
    const { app, destination, outcome, text } = this.#wanted();
    const narrowed = app !== undefined || destination !== undefined || outcome !== '' || text !== '';
    return narrowed ? 'Nothing in the record fits this.' : 'Nothing has left yet.';
  }
}
