import type { ExportRow } from '../page/wire.js';
import type { Entry } from './entry.js';
import { reasonOf } from './words.js';

/** An entry as the API shows it. */
export function rowOf(entry: Entry): ExportRow {
  return {
    key: entry.key,
    ref: entry.ref,
    state: entry.state,
    outcome: entry.outcome ?? null,
    app: entry.app.name,
    destination: entry.destination.name,
    path: entry.path,
    query: entry.query,
    purpose: entry.purpose ?? null,
    bytes: entry.bytes,
    left: entry.left,
    attempts: entry.attempts,
    status: entry.status ?? null,
    code: entry.code ?? null,
    reason: reasonOf(entry) ?? null,
    createdAt: timeOf(entry.createdAtMs),
    endedAt: entry.endedAtMs === undefined ? null : timeOf(entry.endedAtMs),
    retryAt: entry.retryAtMs === undefined ? null : timeOf(entry.retryAtMs),
    times: entry.times,
  };
}

function timeOf(atMs: number): string {
  return new Date(atMs).toISOString();
}
