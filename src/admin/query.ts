import type { Outcome } from '../page/wire.js';
import type { Entry } from './entry.js';
import { reasonOf } from './words.js';

/** Which entries a page of the record has, and where it begins. */
export interface Query {
  readonly filter: Filter;
  readonly cursor: Cursor;
  readonly limit: number;
}

/** Everything that is given must hold. */
export interface Filter {
  /** Only what is on its way, or only what has ended. */
  readonly part: 'open' | 'ended' | undefined;
  readonly outcomes: ReadonlySet<Outcome> | undefined;
  readonly app: string | undefined;
  readonly destination: string | undefined;
  /** In lower case; found in app, destination, path, purpose, reason or reference. */
  readonly text: string | undefined;
}

/** Behind which entry a page begins. What is on its way comes first, oldest first; then what ended, newest first. */
export type Cursor =
  | { readonly part: 'open'; readonly afterKey: number }
  | { readonly part: 'ended'; readonly beforeSeq: number };

export type ParsedQuery =
  | { readonly ok: true; readonly query: Query }
  | { readonly ok: false; readonly mistake: string };

const outcomes: readonly Outcome[] = ['delivered', 'declined', 'failed', 'cancelled', 'refused'];
const problems: ReadonlySet<Outcome> = new Set(['declined', 'failed', 'refused']);
const defaultLimit = 50;
const maxLimit = 200;
const maxTextLength = 200;

/** Reads `part`, `outcome` (repeatable, or `problems`), `app`, `destination`, `q`, `limit` and `cursor`. */
export function parseQuery(parameters: URLSearchParams): ParsedQuery {
  const part = parameters.get('part') ?? undefined;
  if (part !== undefined && part !== 'open' && part !== 'ended') return mistake('part', 'open or ended');
  const wanted = outcomesOf(parameters.getAll('outcome'));
  if (wanted === 'unknown') return mistake('outcome', `problems, or some of ${outcomes.join(', ')}`);
  const limit = Number(parameters.get('limit') ?? defaultLimit);
  if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit) {
    return mistake('limit', `a whole number from 1 to ${maxLimit}`);
  }
  const cursor = cursorOf(parameters.get('cursor'), part);
  if (cursor === undefined) return mistake('cursor', 'what "next" said in an earlier answer');
  const text = parameters.get('q')?.trim().slice(0, maxTextLength).toLowerCase();
  const filter: Filter = {
    part,
    outcomes: wanted,
    app: parameters.get('app') ?? undefined,
    destination: parameters.get('destination') ?? undefined,
    text: text === '' ? undefined : text,
  };
  return { ok: true, query: { filter, cursor, limit } };
}

function outcomesOf(words: readonly string[]): ReadonlySet<Outcome> | undefined | 'unknown' {
  if (words.length === 0) return undefined;
  const wanted = new Set<Outcome>();
  for (const word of words) {
    if (word === 'problems') for (const outcome of problems) wanted.add(outcome);
    else if (isOutcome(word)) wanted.add(word);
    else return 'unknown';
  }
  return wanted;
}

function isOutcome(word: string): word is Outcome {
  return outcomes.some((outcome) => outcome === word);
}

function cursorOf(text: string | null, part: Filter['part']): Cursor | undefined {
  if (text === null) {
    return part === 'ended' ? { part, beforeSeq: Infinity } : { part: 'open', afterKey: 0 };
  }
  const [, where, number = ''] = /^(open|ended)\.(\d{1,15})$/.exec(text) ?? [];
  if (where === undefined) return undefined;
  return where === 'open'
    ? { part: 'open', afterKey: Number(number) }
    : { part: 'ended', beforeSeq: Number(number) };
}

export function cursorText(cursor: Cursor): string {
  return cursor.part === 'open' ? `open.${cursor.afterKey}` : `ended.${cursor.beforeSeq}`;
}

function mistake(name: string, expected: string): ParsedQuery {
  return { ok: false, mistake: `${name}: expects ${expected}` };
}

export function matches(entry: Entry, { outcomes: wanted, app, destination, text }: Filter): boolean {
  if (wanted !== undefined && (entry.outcome === undefined || !wanted.has(entry.outcome))) return false;
  if (app !== undefined && entry.app.name !== app) return false;
  if (destination !== undefined && entry.destination.name !== destination) return false;
  return text === undefined || holds(entry, text);
}

function holds(entry: Entry, text: string): boolean {
  const { app, destination, path, purpose, ref } = entry;
  return (
    `${destination.name}${path}`.toLowerCase().includes(text) ||
    app.name.toLowerCase().includes(text) ||
    (purpose?.toLowerCase().includes(text) ?? false) ||
    ref.startsWith(text) ||
    (reasonOf(entry)?.toLowerCase().includes(text) ?? false)
  );
}
