import type { LaneFigures } from '../page/wire.js';
import type { Entry } from './entry.js';

/** Shown, of perhaps very many. */
const shown = 8;

/** Unfinished entries by lane, that is app and destination; a lane without any is forgotten. */
export class LaneIndex {
  readonly #lanes = new Map<string, Set<Entry>>();

  add(entry: Entry): void {
    const key = keyOf(entry);
    const lane = this.#lanes.get(key);
    if (lane === undefined) this.#lanes.set(key, new Set([entry]));
    else lane.add(entry);
  }

  remove(entry: Entry): void {
    const key = keyOf(entry);
    const lane = this.#lanes.get(key);
    lane?.delete(entry);
    if (lane?.size === 0) this.#lanes.delete(key);
  }

  fullest(): readonly LaneFigures[] {
    const top: Set<Entry>[] = [];
    for (const lane of this.#lanes.values()) {
      if (top.length === shown && lane.size <= (top.at(-1)?.size ?? 0)) continue;
      top.push(lane);
      top.sort((one, other) => other.size - one.size);
      if (top.length > shown) top.pop();
    }
    return top.flatMap(figuresOf);
  }
}

function keyOf({ app, destination }: Entry): string {
  return `${destination.name} ${app.name}`;
}

function figuresOf(lane: ReadonlySet<Entry>): readonly LaneFigures[] {
  // A set keeps its order: the first is the oldest.
  const [oldest] = lane;
  if (oldest === undefined) return [];
  let pending = 0;
  for (const { state } of lane) if (state === 'Pending') pending += 1;
  return [
    {
      app: oldest.app.name,
      destination: oldest.destination.name,
      pending,
      processing: lane.size - pending,
      since: new Date(oldest.createdAtMs).toISOString(),
    },
  ];
}
