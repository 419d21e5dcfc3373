import { byId, el, Keyed, setText } from './dom.js';
import { formatApp, formatBytes, formatCount, plural } from './format.js';
import { hostOf } from './row.js';
import type { Groups, GroupTotals } from './wire.js';

interface Shown extends GroupTotals {
  readonly share: number;
  readonly chosen: boolean;
}

/** Those that export most, or that data goes to most; each of them a button that narrows the list of exports. */
export class GroupsView {
  readonly #root: HTMLElement;
  readonly #others: HTMLElement;
  readonly #list: Keyed<Shown>;

  constructor(id: 'apps' | 'destinations', onChoose: (name: string) => void) {
    this.#others = byId(`${id}-others`, HTMLElement);
    const nameOf = id === 'apps' ? formatApp : hostOf;
    this.#root = byId(id, HTMLElement);
    this.#list = new Keyed<Shown>(this.#root, (group) => itemOf(group, nameOf(group.name)));
    // One listener for all, so that a button that is made anew under the pointer loses no click.
    this.#root.addEventListener('click', ({ target }) => {
      const button = target instanceof Element ? target.closest('button') : null;
      if (button !== null) onChoose(button.value);
    });
  }

  show({ top, others }: Groups, chosen: string | undefined): void {
    const most = Math.max(1, ...top.map(({ exports, refused }) => exports + refused));
    this.#keepingFocus(() =>
      this.#list.show(
        top.map((group) => ({
          ...group,
          share: (group.exports + group.refused) / most,
          chosen: group.name === chosen,
        })),
        ({ name }) => name,
      ),
    );
    const none = top.length === 0 ? 'None yet.' : '';
    setText(this.#others, others === 0 ? none : `and ${formatCount(others)} more: search to find them`);
  }

  /** A button that is made anew because its figures changed has the focus again if it had it. */
  #keepingFocus(change: () => void): void {
    const focused = document.activeElement;
    const name =
      focused instanceof HTMLButtonElement && focused.closest('ul') === this.#root ? focused.value : null;
    change();
    if (name === null || focused?.isConnected === true) return;
    [...this.#root.querySelectorAll('button')].find(({ value }) => value === name)?.focus();
  }
}

function itemOf(group: Shown, name: string): Element {
  const bar = el('span', { 'class': 'bar', 'aria-hidden': 'true' });
  bar.style.setProperty('--share', String(group.share));
  const concerns = [
    ...(group.problems > 0 ? [el('span', { class: 'warn' }, `${formatCount(group.problems)} failed`)] : []),
    ...(group.refused > 0 ? [el('span', { class: 'bad' }, `${formatCount(group.refused)} refused`)] : []),
  ];
  return el(
    'li',
    {},
    el(
      'button',
      { 'type': 'button', 'value': group.name, 'aria-pressed': String(group.chosen) },
      el('span', { class: 'name' }, name),
      el('span', { class: 'amount' }, amountOf(group)),
      ...(concerns.length === 0 ? [] : [el('span', { class: 'concerns' }, ...concerns)]),
      bar,
    ),
  );
}

function amountOf({ exports, bytes }: GroupTotals): string {
  return exports === 0 ? 'no exports' : `${plural(exports, 'export')} · ${formatBytes(bytes)}`;
}
