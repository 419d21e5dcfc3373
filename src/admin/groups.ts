import type { GroupTotals, Groups } from '../page/wire.js';
import { detached, type Entry } from './entry.js';

/** The entries of one app or one destination, counted. */
export interface Group {
  readonly name: string;
  exports: number;
  open: number;
  problems: number;
  refused: number;
  bytes: number;
  lastMs: number;
}

/** Shown, of perhaps very many: apps may make up identifiers and destinations. */
const shown = 12;

/** Totals by name over what the record holds; a name that it holds nothing of is forgotten. */
export class GroupIndex {
  readonly #groups = new Map<string, Group>();

  /** The group of this name; to be dropped once it is empty. */
  find(text: string): Group {
    let group = this.#groups.get(text);
    if (group === undefined) {
      const name = detached(text);
      group = { name, exports: 0, open: 0, problems: 0, refused: 0, bytes: 0, lastMs: 0 };
      this.#groups.set(name, group);
    }
    return group;
  }

  /** Takes a group away once no entry belongs to it. */
  dropEmpty({ name, exports, refused }: Group): void {
    if (exports === 0 && refused === 0) this.#groups.delete(name);
  }

  summary(): Groups {
    const top: Group[] = [];
    for (const group of this.#groups.values()) {
      if (top.length === shown && !isBefore(group, top[shown - 1])) continue;
      top.push(group);
      top.sort(compare);
      if (top.length > shown) top.pop();
    }
    return { top: top.map(viewOf), others: this.#groups.size - top.length };
  }
}

/** Counts an entry as it stands, in its app and its destination; with -1 takes that back. */
export function tally(
  { app, destination, outcome, left, bytes, times, endedAtMs, createdAtMs }: Entry,
  by: 1 | -1,
): void {
  for (const group of [app, destination]) {
    if (outcome === 'refused') group.refused += by * times;
    else group.exports += by;
    if (outcome === undefined) group.open += by;
    if (outcome === 'declined' || outcome === 'failed') group.problems += by;
    if (outcome !== undefined && left !== 'no') group.bytes += by * bytes;
    group.lastMs = Math.max(group.lastMs, endedAtMs ?? createdAtMs);
  }
}

function isBefore(group: Group, other: Group | undefined): boolean {
  return other === undefined || compare(group, other) < 0;
}

function compare(one: Group, other: Group): number {
  return other.exports + other.refused - (one.exports + one.refused) || (one.name < other.name ? -1 : 1);
}

function viewOf({ name, exports, open, problems, refused, bytes, lastMs }: Group): GroupTotals {
  return { name, exports, open, problems, refused, bytes, lastAt: new Date(lastMs).toISOString() };
}
