import { Chart } from './chart.js';
import { byId, setText } from './dom.js';
import { EndedView, OpenView } from './exports_view.js';
import { Filters } from './filters.js';
import { GroupsView } from './groups_view.js';
import { type Connection, listen } from './live.js';
import { OperatorView } from './operator_view.js';
import { Overview } from './overview.js';
import type { Summary } from './wire.js';

/** Between two looks at the record, however fast it changes. */
const refreshEveryMs = 1000;
/** The time line moves on even when nothing happens. */
const chartEveryMs = 30_000;

/** The page: each part shows its own piece of what the relay says. */
class Page {
  readonly #overview = new Overview();
  readonly #chart = new Chart();
  readonly #open = new OpenView();
  readonly #filters = new Filters(() => void this.#restart());
  readonly #ended = new EndedView(() => this.#filters.wanted);
  readonly #apps = new GroupsView('apps', (name) => this.#filters.toggle('app', name));
  readonly #destinations = new GroupsView('destinations', (name) =>
    this.#filters.toggle('destination', name),
  );
  readonly #operator = new OperatorView();
  #summary: Summary | undefined;
  #shownRevision: number | undefined;
  #refreshing = false;

  start(): void {
    listen({
      onSummary: (summary) => this.#show(summary),
      onConnection: (connection) => this.#showConnection(connection),
    });
    for (const outcome of ['problems', 'refused']) {
      byId(`show-${outcome}`, HTMLAnchorElement).addEventListener('click', () =>
        this.#filters.showProblems(outcome),
      );
    }
    setInterval(() => void this.#chart.refresh().catch(ignore), chartEveryMs);
  }

  #show(summary: Summary): void {
    this.#summary = summary;
    this.#overview.show(summary);
    this.#operator.show(summary);
    this.#showGroups();
    void this.#refresh();
  }

  #showGroups(): void {
    if (this.#summary === undefined) return;
    const { app, destination } = this.#filters.wanted;
    this.#apps.show(this.#summary.apps, app);
    this.#destinations.show(this.#summary.destinations, destination);
  }

  async #restart(): Promise<void> {
    this.#showGroups();
    await this.#ended.restart().catch(ignore);
  }

  /** Brings lists and time line up to date, unless that is being done or was done a moment ago. */
  async #refresh(): Promise<void> {
    const summary = this.#summary;
    if (this.#refreshing || summary === undefined || summary.revision === this.#shownRevision) return;
    this.#refreshing = true;
    try {
      await Promise.all([
        this.#open.refresh(summary.open.pending + summary.open.processing),
        this.#chart.refresh(),
        this.#ended.isNewest ? this.#ended.refresh() : undefined,
      ]);
      this.#shownRevision = summary.revision;
      document.documentElement.dataset['revision'] = String(summary.revision);
    } catch {
      // The relay has gone, which the connection tells; everything is fetched again when it is back.
    } finally {
      setTimeout(() => {
        this.#refreshing = false;
        void this.#refresh();
      }, refreshEveryMs);
    }
  }

  #showConnection(connection: Connection): void {
    const element = byId('connection', HTMLElement);
    element.className = connection;
    setText(element, connection === 'live' ? 'Live' : 'Not connected – trying again');
    if (connection === 'lost') this.#shownRevision = undefined;
  }
}

/** What is lost while the relay cannot be reached is fetched again when it can. */
function ignore(): void {
  // Nothing to do.
}

new Page().start();
