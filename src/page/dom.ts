/**
 * Everything on the page is made here, and whatever comes from the record arrives as text nodes and attribute values:
 * nothing an app has written is ever parsed as markup.
 */

type Child = Node | string;

interface Attributes {
  readonly class?: string;
  readonly id?: string;
  readonly [name: string]: string | undefined;
}

const svgNamespace = 'http://www.w3.org/2000/svg';

/** An element with attributes and children. */
export function el<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  setAttributes(element, attributes);
  element.append(...children);
  return element;
}

export function svg<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Name] {
  const element = document.createElementNS(svgNamespace, name);
  setAttributes(element, attributes);
  element.append(...children);
  return element;
}

function setAttributes(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, value);
  }
}

/** The element of the page with this id, which must be of this kind. */
export function byId<Kind extends Element>(id: string, kind: new () => Kind): Kind {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`the page has no ${kind.name} with the id ${id}`);
  return element;
}

/** Sets a text only if it differs, so that selections and screen readers are left in peace. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Makes the children these and no others; those that are there already stay where they are. */
export function reconcile(parent: Element, children: readonly Element[]): void {
  const wanted = new Set(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let place = parent.firstElementChild;
  for (const child of children) {
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
}

/** What a field of a form holds. */
export function valueOf(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name);
  return typeof value === 'string' ? value : '';
}

interface Made {
  /** The item as it was when the element was made. */
  readonly text: string;
  readonly element: Element;
}

/** Elements by key, made anew only when what they show has changed. */
export class Keyed<Item> {
  readonly #parent: Element;
  readonly #make: (item: Item) => Element;
  #shown = new Map<string | number, Made>();

  constructor(parent: Element, make: (item: Item) => Element) {
    this.#parent = parent;
    this.#make = make;
  }

  show(items: readonly Item[], keyOf: (item: Item) => string | number): void {
    const shown = new Map<string | number, Made>();
    for (const item of items) {
      const key = keyOf(item);
      const text = JSON.stringify(item);
      const before = this.#shown.get(key);
      shown.set(key, before?.text === text ? before : { text, element: this.#make(item) });
    }
    this.#shown = shown;
    reconcile(
      this.#parent,
      [...shown.values()].map(({ element }) => element),
    );
  }
}
