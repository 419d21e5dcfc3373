import type { LaneFigures } from '../page/wire.js';
import type { Entry } from './entry.js';
import type { Group } from './groups.js';

/** Shown, of perhaps very many. */
const shown = 8;

/** Unfinished entries by lane, that is app and destination; a lane without any is forgotten. */
export class LaneIndex {
  /** By app and destination themselves: both stay the same as long as an entry has them. */
  readonly #lanes = new Map<Group, Map<Group, Set<Entry>>>();

  add(entry: Entry): void {
    const { app, destination } = entry;
    const ofApp = this.#lanes.get(app);
    const lane = ofApp?.get(destination);
    if (lane !== undefined) lane.add(entry);
    else if (ofApp !== undefined) ofApp.set(destination, new Set([entry]));
    else this.#lanes.set(app, new Map([[destination, new Set([entry])]]));
  }

  remove(entry: Entry): void {
    const { app, destination } = entry;
    const ofApp = this.#lanes.get(app);
    const lane = ofApp?.get(destination);
    lane?.delete(entry);
    if (lane?.size === 0) ofApp?.delete(destination);
    if (ofApp?.size === 0) this.#lanes.delete(app);
  }

  fullest(): readonly LaneFigures[] {
    const top: ReadonlySet<Entry>[] = [];
    for (const lane of this.#all()) {
      if (top.length === shown && lane.size <= (top.at(-1)?.size ?? 0)) continue;
      top.push(lane);
      top.sort((one, other) => other.size - one.size);
      if (top.length > shown) top.pop();
    }
    return top.flatMap(figuresOf);
  }

  *#all(): Generator<ReadonlySet<Entry>, void, undefined> {
    for (const ofApp of this.#lanes.values()) yield* ofApp.values();
  }
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
