import { setImmediate as breathe } from 'node:timers/promises';
import type { ExportPage, ExportRow } from '../page/wire.js';
import type { Entry } from './entry.js';
import type { Ledger } from './ledger.js';
import { type Cursor, cursorText, matches, type Query } from './query.js';
import { rowOf } from './rows.js';

/** Entries looked at in one go, some tenths of a millisecond; deliveries and answers get their turn in between. */
const inOneGo = 500;

/** One entry with the place behind it. */
interface Step {
  readonly entry: Entry;
  readonly behind: Cursor;
}

/**
 * The page of the record that a query asks for. A search through all of it takes many turns of the event loop; what
 * changes meanwhile is found as it is when its turn comes. Ends early, without anything, once `signal` says so.
 */
export async function findPage(ledger: Ledger, query: Query, signal: AbortSignal): Promise<ExportPage> {
  const { filter, limit, cursor } = query;
  const rows: ExportRow[] = [];
  let last = cursor;
  let seen = 0;
  for (const { entry, behind } of steps(ledger, query)) {
    seen += 1;
    if (seen % inOneGo === 0) {
      await breathe();
      if (signal.aborted) break;
    }
    if (!matches(entry, filter)) continue;
    if (rows.length === limit) return { exports: rows, next: cursorText(last) };
    rows.push(rowOf(entry));
    last = behind;
  }
  return { exports: rows, next: null };
}

/** What is on its way, oldest first, and then what ended, newest first, from the cursor on. */
function* steps(ledger: Ledger, { filter: { part }, cursor }: Query): Generator<Step> {
  if (cursor.part === 'open' && part !== 'ended') {
    for (const entry of ledger.open()) {
      if (entry.key > cursor.afterKey) yield { entry, behind: { part: 'open', afterKey: entry.key } };
    }
  }
  if (part === 'open') return;
  let beforeSeq = cursor.part === 'ended' ? cursor.beforeSeq : Infinity;
  for (;;) {
    const entry = ledger.endedBefore(beforeSeq);
    if (entry === undefined) return;
    beforeSeq = entry.seq;
    yield { entry, behind: { part: 'ended', beforeSeq } };
  }
}
