import type { Entry } from './entry.js';
import { type Sign, sealLine } from './line.js';

/** Where a record ends. */
export interface Head {
  /** Number of the last line. */
  readonly seq: number;
  readonly hash: string;
  /** Lines since the last checkpoint. */
  readonly unsigned: number;
}

/** There is a checkpoint after at most this many other lines; a record without them is not accepted. */
export const linesPerCheckpoint = 100;

export interface Composed {
  readonly text: string;
  readonly head: Head;
  /** The number of each entry's line. */
  readonly seqs: readonly number[];
}

export interface ComposeOptions {
  readonly sign: Sign;
  readonly nowMs: number;
  /** Whether to end with a checkpoint, if there is anything that none covers. */
  readonly checkpoint: boolean;
}

/** The lines that continue a record. */
export function compose(
  from: Head,
  entries: readonly Entry[],
  { sign, nowMs, checkpoint }: ComposeOptions,
): Composed {
  const texts: string[] = [];
  const seqs: number[] = [];
  let { seq, hash, unsigned } = from;
  const add = ({ kind, timeMs, members }: Entry, signature?: Sign): void => {
    seq += 1;
    const time = new Date(timeMs).toISOString();
    const sealed = sealLine({ seq, time, kind, prev: hash }, members, signature);
    hash = sealed.hash;
    unsigned = signature === undefined ? unsigned + 1 : 0;
    texts.push(sealed.text);
  };
  const addCheckpoint = (): void => add({ kind: 'checkpoint', timeMs: nowMs, members: {} }, sign);
  for (const entry of entries) {
    add(entry);
    seqs.push(seq);
    if (unsigned >= linesPerCheckpoint) addCheckpoint();
  }
  if (checkpoint && unsigned > 0) addCheckpoint();
  return { text: texts.join(''), head: { seq, hash, unsigned }, seqs };
}
