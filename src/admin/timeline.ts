import type { Span, Timeline, TimelineRange } from '../page/wire.js';
import type { Entry } from './entry.js';

const minuteMs = 60_000;
/** A day, in minutes. */
const kept = 24 * 60;

/** Each range is shown as about a hundred bars. */
const ranges: Readonly<Record<TimelineRange, { readonly minutes: number; readonly minutesPerSpan: number }>> =
  {
    '1h': { minutes: 60, minutesPerSpan: 1 },
    '24h': { minutes: kept, minutesPerSpan: 15 },
  };

interface Minute {
  /** Minutes since the epoch; what else the slot holds belongs to this one. */
  minute: number;
  delivered: number;
  undelivered: number;
  refused: number;
  bytes: number;
}

/** What ended in each minute of the last day, whatever the record has had to forget of it. */
export class TimelineLog {
  readonly #slots: Minute[] = Array.from({ length: kept }, () => empty(0));

  add({ outcome, left, bytes }: Pick<Entry, 'outcome' | 'left' | 'bytes'>, atMs: number): void {
    const slot = this.#slot(Math.floor(atMs / minuteMs));
    if (slot === undefined) return;
    if (outcome === 'refused') slot.refused += 1;
    else if (outcome === 'delivered') slot.delivered += 1;
    else slot.undelivered += 1;
    if (left !== 'no') slot.bytes += bytes;
  }

  /** The spans of a range; the last one holds the present. */
  read(range: TimelineRange, nowMs: number): Timeline {
    const { minutes, minutesPerSpan } = ranges[range];
    const spanMs = minutesPerSpan * minuteMs;
    const end = (Math.floor(nowMs / spanMs) + 1) * minutesPerSpan;
    const from = end - minutes;
    const spans = Array.from({ length: minutes / minutesPerSpan }, (_, index) =>
      this.#sum(from + index * minutesPerSpan, minutesPerSpan),
    );
    return { from: new Date(from * minuteMs).toISOString(), spanMs, spans };
  }

  /** The last 24 hours together. */
  total(nowMs: number): Span {
    return this.#sum(Math.floor(nowMs / minuteMs) + 1 - kept, kept);
  }

  #sum(from: number, minutes: number): Span {
    const sum = empty(from);
    for (let minute = from; minute < from + minutes; minute += 1) {
      const slot = this.#slots[minute % kept];
      if (slot?.minute !== minute) continue;
      sum.delivered += slot.delivered;
      sum.undelivered += slot.undelivered;
      sum.refused += slot.refused;
      sum.bytes += slot.bytes;
    }
    const { delivered, undelivered, refused, bytes } = sum;
    return { delivered, undelivered, refused, bytes };
  }

  /** The slot of a minute, or `undefined` where a later one has it: that is more than a day ago. */
  #slot(minute: number): Minute | undefined {
    const index = minute % kept;
    const slot = this.#slots[index];
    if (slot === undefined || slot.minute > minute) return undefined;
    return slot.minute === minute ? slot : (this.#slots[index] = empty(minute));
  }
}

function empty(minute: number): Minute {
  return { minute, delivered: 0, undelivered: 0, refused: 0, bytes: 0 };
}
