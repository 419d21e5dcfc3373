import type { Clock } from '../clock.js';
import { type Entry, type Refusal, bounded, refusedEntry } from './entry.js';

export interface RefusalsOptions {
  readonly clock: Clock;
  readonly write: (entry: Entry) => void;
  /** While the record cannot be written, refusals are only counted. */
  readonly writable: () => boolean;
}

/** Refusals that are alike, within one interval. */
interface Group {
  /** What they have in common. */
  readonly members: Readonly<Record<string, string | undefined>>;
  /** Those that got no line of their own. */
  count: number;
  bytes: number;
  firstMs: number;
  lastMs: number;
}

const intervalMs = 60_000;
/** Lines of their own per interval, of one owner and in all. */
const maxSinglesOfOwner = 20;
const maxSingles = 200;
/** Groups of one kind; beyond it refusals share one group. */
const maxOwners = 200;

/**
 * Keeps a flood of refusals from filling the disk or the memory. The first of those that are alike (owner,
 * destination, code, rule) gets a line of its own at once; the others of that minute are counted in one line at its
 * end. An owner with more than 20 different ones in a minute gets one such line for the rest, without the destination,
 * and with more than 200 altogether the rest of all owners shares one.
 */
export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #groups = new Map<string, Group>();
  readonly #singlesOf = new Map<string, number>();
  readonly #restOf = new Set<string>();
  #singles = 0;
  #cancelInterval: (() => void) | undefined;

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  add(refusal: Refusal): void {
    const { clock, write, writable } = this.#options;
    const nowMs = clock.nowMs();
    this.#cancelInterval ??= this.#endInterval();
    const { code, rule } = refusal.failure;
    const owner = bounded(refusal.owner, 256);
    const destination = bounded(refusal.destination.origin, 300);
    const alike = { owner, destination, code, rule };
    const known = this.#groups.get(keyOf(alike));
    if (known !== undefined) {
      count(known, refusal, nowMs);
      return;
    }
    const singles = this.#singlesOf.get(owner) ?? 0;
    if (this.#singles >= maxSingles || singles >= maxSinglesOfOwner) {
      count(this.#rest(owner, nowMs), refusal, nowMs);
      return;
    }
    this.#singles += 1;
    this.#singlesOf.set(owner, singles + 1);
    const group = this.#group(alike, nowMs);
    if (writable()) write(refusedEntry(refusal, nowMs));
    else count(group, refusal, nowMs);
  }

  /** Writes what was only counted so far. */
  flush(): void {
    const { clock, write } = this.#options;
    const timeMs = clock.nowMs();
    for (const { members, count: counted, bytes, firstMs, lastMs } of this.#groups.values()) {
      if (counted === 0) continue;
      const times = { first: new Date(firstMs).toISOString(), last: new Date(lastMs).toISOString() };
      write({ kind: 'refused', timeMs, members: { ...members, count: counted, bytes, ...times } });
    }
    this.#groups.clear();
    this.#singlesOf.clear();
    this.#restOf.clear();
    this.#singles = 0;
  }

  close(): void {
    this.#cancelInterval?.();
    this.flush();
  }

  #endInterval(): () => void {
    const { clock, writable } = this.#options;
    return clock.after(intervalMs, () => {
      // What cannot be written is kept, and goes on being counted within the same bounds.
      this.#cancelInterval = writable() ? undefined : this.#endInterval();
      if (writable()) this.flush();
    });
  }

  #rest(owner: string, nowMs: number): Group {
    if (!this.#restOf.has(owner) && this.#restOf.size >= maxOwners) return this.#group({}, nowMs);
    this.#restOf.add(owner);
    return this.#group({ owner }, nowMs);
  }

  #group(members: Group['members'], nowMs: number): Group {
    const key = keyOf(members);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { members, count: 0, bytes: 0, firstMs: nowMs, lastMs: nowMs };
      this.#groups.set(key, group);
    }
    return group;
  }
}

function keyOf(members: Group['members']): string {
  return JSON.stringify(members);
}

function count(group: Group, { dataBytes }: Refusal, nowMs: number): void {
  if (group.count === 0) group.firstMs = nowMs;
  group.count += 1;
  group.bytes += dataBytes;
  group.lastMs = nowMs;
}
