import { byId, el, reconcile, valueOf } from './dom.js';
import { formatApp } from './format.js';
import { hostOf } from './row.js';

/** What the person wants to see. */
export interface Wanted {
  readonly app: string | undefined;
  readonly destination: string | undefined;
  /** An outcome, `problems`, or empty for all. */
  readonly outcome: string;
  readonly text: string;
}

/** While somebody types, the record is not searched for every letter. */
const typingMs = 200;

/** The search field, the choice of results, and what was picked from the lists of apps and destinations. */
export class Filters {
  readonly #onChange: () => void;
  readonly #form = byId('filters', HTMLFormElement);
  readonly #chips = byId('chips', HTMLElement);
  #app: string | undefined;
  #destination: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#changed(0);
    });
    this.#form.addEventListener('input', () => this.#changed(typingMs));
  }

  get wanted(): Wanted {
    return {
      app: this.#app,
      destination: this.#destination,
      outcome: valueOf(this.#form, 'outcome'),
      text: valueOf(this.#form, 'q').trim(),
    };
  }

  /** Narrows to one app or destination; the same one again takes that back. */
  toggle(kind: 'app' | 'destination', name: string): void {
    if (kind === 'app') this.#app = this.#app === name ? undefined : name;
    else this.#destination = this.#destination === name ? undefined : name;
    this.#changed(0);
  }

  /** Asks for everything that went wrong, and nothing else. */
  showProblems(outcome: string): void {
    this.#app = this.#destination = undefined;
    this.#form.reset();
    byId('outcome', HTMLSelectElement).value = outcome;
    this.#changed(0);
  }

  #changed(afterMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#showChips();
      this.#onChange();
    }, afterMs);
  }

  #showChips(): void {
    const chips = [
      ...(this.#app === undefined ? [] : [this.#chip('app', this.#app, `App: ${formatApp(this.#app)}`)]),
      ...(this.#destination === undefined
        ? []
        : [this.#chip('destination', this.#destination, `To: ${hostOf(this.#destination)}`)]),
    ];
    reconcile(this.#chips, chips);
  }

  #chip(kind: 'app' | 'destination', name: string, text: string): Element {
    const chip = el(
      'button',
      { type: 'button', class: 'chip' },
      text,
      el('span', { 'aria-hidden': 'true' }, '×'),
      el('span', { class: 'unseen' }, ' – show all again'),
    );
    chip.addEventListener('click', () => {
      this.toggle(kind, name);
      byId('q', HTMLInputElement).focus();
    });
    return chip;
  }
}
