/** What becomes of a delivery at its destination. `fine` works; the others are those that fail. */
export type Kind = 'fine' | 'status500' | 'reset' | 'refused' | 'slow' | 'hang';

interface Entry {
  readonly kind: Kind;
  /** Once the relay has acknowledged it. */
  id: string | undefined;
  /** It broke off before it was whole. */
  half: boolean;
  /** Its client has cancelled it, or tried to. */
  cancelled: boolean;
  /** The `Idempotency-Key` of its first arrival. */
  key: string | undefined;
  answeredAtMs: number | undefined;
  endedAtMs: number | undefined;
  touchedAtMs: number;
}

/** How a job is Finished, as its client reads it. */
export interface End {
  readonly status: string;
  /** Why the relay gave up, if it did. */
  readonly error: string | undefined;
}

/** After a kill, jobs whose answer came so shortly before that it may not have been on disk may arrive again. */
const graceMs = 5000;
/** What the cancelled attempt had sent may arrive so long after the cancellation. */
const inFlightMs = 2000;
/** Exports are forgotten so long after their end, so that the account of a long run does not grow. */
const settledMs = 60_000;

/** What was submitted, what arrived and how it ended, by the number that each payload carries. Times are monotonic. */
export class Account {
  readonly counts = {
    begun: 0,
    accepted: 0,
    ended: 0,
    delivered: 0,
    cancelled: 0,
    /** Known to the relay once, unknown to it before it could be read. */
    forgotten: 0,
    /** Of a kind that works, and Finished in another way than with its 200. */
    endedWrongly: 0,
    /** Finished with an answer of a destination that got nothing. */
    unfounded: 0,
    /** Arrived under two ids. */
    duplicates: 0,
    /** Arrived again although answered before, or after the end. */
    repeated: 0,
    /** Arrived again around a kill. */
    repeatedByKill: 0,
    /** Arrived although never submitted whole, or with other bytes. */
    wrong: 0,
  };
  readonly #entries = new Map<number, Entry>();
  readonly #kills: number[] = [];
  /** Some of what went wrong, for whoever looks into it. */
  readonly remarks: string[] = [];

  begin(kind: Kind, nowMs: number): number {
    this.counts.begun += 1;
    const entry: Entry = {
      kind,
      id: undefined,
      half: false,
      cancelled: false,
      key: undefined,
      answeredAtMs: undefined,
      endedAtMs: undefined,
      touchedAtMs: nowMs,
    };
    this.#entries.set(this.counts.begun, entry);
    return this.counts.begun;
  }

  /** It is not sent whole. */
  breaksOff(number: number): void {
    const entry = this.#entries.get(number);
    if (entry !== undefined) entry.half = true;
  }

  accepted(number: number, id: string): void {
    const entry = this.#entries.get(number);
    if (entry === undefined) return;
    if (entry.id === undefined) this.counts.accepted += 1;
    else if (entry.id !== id) {
      this.counts.duplicates += 1;
      this.#remark(`export ${number} has two ids, ${entry.id} and ${id}`);
    }
    entry.id = id;
  }

  cancelling(number: number): void {
    const entry = this.#entries.get(number);
    if (entry !== undefined) entry.cancelled = true;
  }

  ended(number: number, { status, error }: End, nowMs: number): void {
    const entry = this.#entries.get(number);
    if (entry === undefined || entry.endedAtMs !== undefined) return;
    entry.endedAtMs = nowMs;
    entry.touchedAtMs = nowMs;
    this.counts.ended += 1;
    if (error === undefined) this.counts.delivered += 1;
    if (error === 'cancelled') this.counts.cancelled += 1;
    if (error === undefined && entry.answeredAtMs === undefined) {
      this.counts.unfounded += 1;
      this.#remark(`export ${number} ended with ${status}, which nobody has answered`);
    }
    const works = entry.kind === 'fine' || entry.kind === 'slow';
    if (works && status !== '200 OK' && !(entry.cancelled && error === 'cancelled')) {
      this.counts.endedWrongly += 1;
      this.#remark(`export ${number} (${entry.kind}) ended with ${status}, ${error ?? 'answered'}`);
    }
  }

  forgotten(number: number): void {
    this.counts.forgotten += 1;
    this.#remark(
      `export ${number}, ${this.#entries.get(number)?.id ?? 'never accepted'}, is not known any longer`,
    );
  }

  /** A number that no export has says that the bytes are not what was submitted. */
  arrived(number: number, key: string, nowMs: number): void {
    const entry = this.#entries.get(number);
    if (number < 1 || number > this.counts.begun || entry?.half === true) {
      this.counts.wrong += 1;
      this.#remark(`what arrived as export ${number} is not what was submitted`);
      return;
    }
    if (entry === undefined) {
      this.#repeated(number, 'long after its end');
      return;
    }
    entry.touchedAtMs = nowMs;
    entry.key ??= key;
    if (entry.key !== key) {
      this.counts.duplicates += 1;
      this.#remark(`export ${number} arrived under two keys`);
    }
    const { answeredAtMs, endedAtMs } = entry;
    const killedMs = this.#kills.find((atMs) => atMs > (answeredAtMs ?? Infinity) - 1000);
    if (endedAtMs !== undefined && nowMs - endedAtMs > inFlightMs) this.#repeated(number, 'after its end');
    else if (answeredAtMs === undefined) return;
    else if (killedMs !== undefined && killedMs - answeredAtMs < graceMs) this.counts.repeatedByKill += 1;
    else this.#repeated(number, 'although it was answered');
  }

  answered(number: number, nowMs: number): void {
    const entry = this.#entries.get(number);
    if (entry !== undefined) entry.answeredAtMs = nowMs;
  }

  killed(nowMs: number): void {
    this.#kills.push(nowMs);
  }

  get kills(): number {
    return this.#kills.length;
  }

  /** Lets go of what is settled. */
  sweep(nowMs: number): void {
    for (const [number, { id, endedAtMs, touchedAtMs }] of this.#entries) {
      const open = id !== undefined && endedAtMs === undefined;
      if (!open && nowMs - touchedAtMs > settledMs) this.#entries.delete(number);
    }
  }

  /** Exports that were acknowledged and have no end. */
  lost(): number {
    const open = [...this.#entries].filter(
      ([, { id, endedAtMs }]) => id !== undefined && endedAtMs === undefined,
    );
    for (const [number, { id, kind }] of open)
      this.#remark(`export ${number} (${kind}), ${id ?? ''}, has no end`);
    return open.length;
  }

  #repeated(number: number, how: string): void {
    this.counts.repeated += 1;
    this.#remark(`export ${number} arrived again ${how}`);
  }

  #remark(text: string): void {
    if (this.remarks.length < 20) this.remarks.push(text);
  }
}
