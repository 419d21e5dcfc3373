import type { Clock } from '../clock.js';
import { errorCode } from '../journal/write_error.js';
import { type Composed, type Head, compose } from './composer.js';
import type { Entry } from './entry.js';
import type { RecordFiles } from './files.js';
import type { SigningKey } from './keys.js';

export interface RecordLogOptions {
  readonly clock: Clock;
  readonly key: SigningKey;
  readonly files: RecordFiles;
  readonly head: Head;
  /** Identifies the record, in the first line of each of its files. */
  readonly recordId: string;
  /** A file to which so much was added is followed by another. */
  readonly maxFileBytes: number;
  /** What the first lines of a file repeat, so that the newest file alone tells what is unfinished. */
  readonly carried: () => readonly Entry[];
  /** Told when writing fails (the system's code), and when it succeeds again (`undefined`). */
  readonly onOutage: (code: string | undefined) => void;
  /** Told of each try to write. */
  readonly onWrite: (write: RecordWrite) => void;
}

/** How a try to write ended: what is durable since the last one that succeeded, or that nothing could be written. */
export type RecordWrite =
  | { readonly ok: true; readonly lines: number; readonly bytes: number; readonly durationMs: number }
  | { readonly ok: false };

/** An entry on its way. */
export interface Pending {
  readonly entry: Entry;
  /** Durable, as the line of that number. Called in the order of the lines. */
  readonly done: (seq: number) => void;
  /** Not written. Whether to try again; nothing is tried again once the record is closed. */
  readonly failed: (error: AuditWriteError) => 'keep' | 'drop';
}

/** The record was not written; the message has the system's code, or `closed`. Trying again is worth it. */
export class AuditWriteError extends Error {
  override readonly name = 'AuditWriteError';

  constructor(code: string) {
    super(`the audit record was not written (${code})`);
  }
}

/** Keeps one commit short, so that those who come meanwhile do not wait long. */
const maxCommitEntries = 1000;
const checkpointEveryMs = 60_000;
const tryAgainAfterMs = 1000;

/**
 * Writes entries one batch after another: those that come while one is being written share the next flush. What
 * cannot be written stays, and is tried again every second, until it can.
 */
export class RecordLog {
  readonly #options: RecordLogOptions;
  #head: Head;
  #waiting: Pending[] = [];
  #running: Promise<void> | undefined;
  /** Since when, and why, nothing can be written. */
  #outage: { readonly sinceMs: number; readonly code: string } | undefined;
  #cancelRetry: (() => void) | undefined;
  #cancelCheckpoint: () => void;
  #checkpointDue = false;
  #closing = false;
  /** Of what is durable and was not told of yet. */
  #newBytes = 0;
  #toldSeq: number;

  constructor(options: RecordLogOptions) {
    this.#options = options;
    this.#head = options.head;
    this.#toldSeq = options.head.seq;
    this.#cancelCheckpoint = this.#scheduleCheckpoint();
  }

  /** The last line that is durable. */
  get head(): Head {
    return this.#head;
  }

  get writable(): boolean {
    return this.#outage === undefined && !this.#closing;
  }

  /** Entries are written in the order in which they come. */
  write(pending: Pending): void {
    if (this.#closing) {
      pending.failed(new AuditWriteError('closed'));
      return;
    }
    this.#waiting.push(pending);
    if (this.#outage === undefined) this.#start();
  }

  /** Writes what waits, a checkpoint behind it, and closes the file. What cannot be written now is lost. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#cancelCheckpoint();
    this.#cancelRetry?.();
    this.#checkpointDue = true;
    await this.#running;
    // Once more, even if the last try failed.
    this.#start();
    await this.#running;
    for (const { failed } of this.#waiting.splice(0)) failed(new AuditWriteError('closed'));
    await this.#options.files.close().catch(() => undefined);
  }

  #start(): void {
    // Not at once: what else comes in this turn of the event loop goes along.
    this.#running ??= new Promise<void>((begin) => setImmediate(begin)).then(() => this.#run());
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0 || this.#checkpointDue) {
      const batch = this.#waiting.splice(0, maxCommitEntries);
      const startedAtMs = this.#options.clock.monotonicMs();
      try {
        await this.#commit(batch, startedAtMs);
      } catch (error) {
        this.#fail(errorCode(error), batch);
        break;
      }
    }
    this.#running = undefined;
  }

  async #commit(batch: readonly Pending[], startedAtMs: number): Promise<void> {
    await this.#makeReady();
    const checkpoint = this.#checkpointDue;
    const resumed = this.#resumedEntry();
    const composed = this.#compose([...resumed, ...batch.map(({ entry }) => entry)], checkpoint);
    if (composed.text !== '') await this.#append(composed);
    if (checkpoint) this.#checkpointDue = false;
    if (this.#outage !== undefined) this.#recover();
    this.#tell(startedAtMs);
    const seqs = composed.seqs.slice(resumed.length);
    seqs.forEach((seq, at) => batch[at]?.done(seq));
  }

  /** Sees that there is a file with room. */
  async #makeReady(): Promise<void> {
    const { files, maxFileBytes } = this.#options;
    if (files.addedBytes !== undefined && (files.suspect || files.addedBytes >= maxFileBytes)) {
      if (!files.suspect && this.#head.unsigned > 0) {
        const last = this.#compose([], true);
        await this.#append(last);
      }
      await files.retire();
    }
    if (files.addedBytes === undefined) {
      const first = this.#compose([this.#beginEntry(), ...this.#options.carried()], false);
      await files.begin(first.text);
      this.#wrote(first);
    }
  }

  async #append(composed: Composed): Promise<void> {
    await this.#options.files.append(composed.text);
    this.#wrote(composed);
  }

  #wrote({ text, head }: Composed): void {
    this.#head = head;
    this.#newBytes += Buffer.byteLength(text);
  }

  #tell(startedAtMs: number): void {
    const { clock, onWrite } = this.#options;
    const lines = this.#head.seq - this.#toldSeq;
    if (lines === 0) return;
    const durationMs = clock.monotonicMs() - startedAtMs;
    onWrite({ ok: true, lines, bytes: this.#newBytes, durationMs });
    this.#toldSeq = this.#head.seq;
    this.#newBytes = 0;
  }

  #beginEntry(): Entry {
    const { recordId, files, key, clock } = this.#options;
    const members = { format: 1, record: recordId, file: files.number, key: key.publicKey.fingerprint };
    return { kind: 'begin', timeMs: clock.nowMs(), members };
  }

  /** Says that for a while nothing could be recorded, and so nothing left. */
  #resumedEntry(): readonly Entry[] {
    if (this.#outage === undefined) return [];
    const { sinceMs, code } = this.#outage;
    const members = { since: new Date(sinceMs).toISOString(), reason: code };
    return [{ kind: 'resumed', timeMs: this.#options.clock.nowMs(), members }];
  }

  #compose(entries: readonly Entry[], checkpoint: boolean): Composed {
    const { key, clock } = this.#options;
    return compose(this.#head, entries, { sign: key.sign, nowMs: clock.nowMs(), checkpoint });
  }

  #fail(code: string, batch: readonly Pending[]): void {
    const { clock, onOutage, onWrite } = this.#options;
    const error = new AuditWriteError(code);
    onWrite({ ok: false });
    // Those that came meanwhile as well: they would only wait for the next failure.
    const kept = [...batch, ...this.#waiting].filter(({ failed }) => failed(error) === 'keep');
    this.#waiting = kept;
    if (this.#outage === undefined) {
      this.#outage = { sinceMs: clock.nowMs(), code };
      onOutage(code);
    }
    if (this.#closing) return;
    this.#cancelRetry = clock.after(tryAgainAfterMs, () => {
      // Even if nobody waits any more: it has to be found out when writing is possible again.
      this.#checkpointDue = true;
      this.#start();
    });
  }

  #recover(): void {
    this.#outage = undefined;
    this.#options.onOutage(undefined);
  }

  #scheduleCheckpoint(): () => void {
    return this.#options.clock.after(checkpointEveryMs, () => {
      this.#cancelCheckpoint = this.#scheduleCheckpoint();
      if (this.#head.unsigned === 0 || this.#outage !== undefined) return;
      this.#checkpointDue = true;
      this.#start();
    });
  }
}
