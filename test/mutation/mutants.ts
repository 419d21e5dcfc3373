import type { AnyNode } from 'acorn';
import { type Edit, editsAt } from './operators.js';
import { type Place, functionAround, placesIn } from './source.js';

/** What tells a mutant from all others, whatever line it stands on. */
export interface MutantName {
  /** Below dist, such as `macaroon/token.js`. */
  readonly file: string;
  /** The function it is in. */
  readonly in: string;
  /** The expression or statement it changes, and what becomes of it. */
  readonly original: string;
  readonly mutated: string;
  /** Which one it is of those that are alike in all this, from 1. */
  readonly ordinal: number;
}

export interface Mutant extends MutantName, Edit {
  readonly line: number;
  /** Where it is decided whether the mutant runs at all. */
  readonly at: number;
}

/** Every mutant of a module's text. */
export function mutantsOf(file: string, source: string): readonly Mutant[] {
  const seen = new Map<string, number>();
  return placesIn(source).flatMap((place) =>
    editsAt(place, source).map((edit) => {
      const shown = shownAround(place, edit, source);
      const name = { file, in: functionAround([place.node, ...place.around]), ...shown };
      const key = JSON.stringify(name);
      const ordinal = (seen.get(key) ?? 0) + 1;
      seen.set(key, ordinal);
      return { ...name, ...edit, ordinal, line: lineAt(source, edit.start), at: place.node.start };
    }),
  );
}

export function mutate(source: string, { start, end, text }: Edit): string {
  return source.slice(0, start) + text + source.slice(end);
}

/** One line for people and for comparing. */
export function describeMutant({ file, in: place, original, mutated, ordinal }: MutantName): string {
  const which = ordinal === 1 ? '' : ` (number ${ordinal})`;
  return `${file} ${place}: ${original}  →  ${mutated === '' ? 'nothing' : mutated}${which}`;
}

function lineAt(source: string, offset: number): number {
  return source.slice(0, offset).split('\n').length;
}

const maxShown = 110;

/** The change with as much around it as says what it is about. */
function shownAround(
  { node, around }: Place,
  edit: Edit,
  source: string,
): { readonly original: string; readonly mutated: string } {
  let shown: Pick<AnyNode, 'start' | 'end'> = 'test' in node ? edit : node;
  for (const outer of around) {
    const isPart = /(?:Expression|Pattern|Literal|Property|Declarator|Element)$/.test(outer.type);
    if (!isPart || outer.end - outer.start > maxShown) break;
    shown = outer;
  }
  const original = oneLine(source.slice(shown.start, shown.end));
  const within = { ...edit, start: edit.start - shown.start, end: edit.end - shown.start };
  const mutated = mutate(source.slice(shown.start, shown.end), within);
  return { original, mutated: mutated === ';' ? '' : oneLine(mutated) };
}

function oneLine(text: string): string {
  const line = text
    .replace(/\/\/.*$/gm, '')
    .replace(/\s+/g, ' ')
    .trim();
  return line.length > maxShown ? `${line.slice(0, maxShown)}…` : line;
}
