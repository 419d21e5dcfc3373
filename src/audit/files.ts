import { unfinishedSuffix } from '../journal/chain.js';
import type { Storage, StorageFile } from '../journal/storage.js';

interface Active {
  readonly file: StorageFile;
  /** What it was begun with; 0 where that is not known. */
  readonly begunBytes: number;
  /** Up to here everything is certain to last. */
  end: number;
  /** Whether something may stand behind `end`. */
  dirty: boolean;
  /** Whether a sync has failed: then what the file holds is uncertain, and it is not written to again. */
  suspect: boolean;
  /**
   * What stands before `end` and was read after a kill. It need not be on the disk, even if a sync succeeds: the system
   * may have tried, failed and forgotten that it has to write it. So it is written again before anything else.
   */
  unsure: Buffer | undefined;
}

/** A file to go on with, as it was found. */
export interface FoundFile {
  readonly file: StorageFile;
  /** Up to here there are whole lines. */
  readonly end: number;
  /** Whether something stands behind `end`. */
  readonly dirty: boolean;
  /** The last bytes before `end`, if they may not be on the disk. */
  readonly unsure: Buffer | undefined;
}

/**
 * The files of a record: FILE is written to; once it is full it becomes FILE.1, FILE.2 and so on, which are never
 * touched again. Nothing here runs concurrently: each method is called when the one before has ended.
 */
export class RecordFiles {
  readonly #storage: Storage;
  readonly #name: string;
  #active: Active | undefined;
  /** Of the file that is written to, or that will be. */
  #number: number;
  /** Whether a file was renamed that may have its old name again after a power cut. */
  #renamed = false;

  constructor(
    { storage, name }: { readonly storage: Storage; readonly name: string },
    { number, active }: { readonly number: number; readonly active: FoundFile | undefined },
  ) {
    this.#storage = storage;
    this.#name = name;
    this.#number = number;
    this.#active = active && { ...active, begunBytes: 0, suspect: false };
  }

  /** The number that the file has, or will have, among those of the record. */
  get number(): number {
    return this.#number;
  }

  /** What was added to the file since it was begun; `undefined` if there is none yet. */
  get addedBytes(): number | undefined {
    return this.#active && this.#active.end - this.#active.begunBytes;
  }

  /** Whether the file can be written to no more, and another has to be begun. */
  get suspect(): boolean {
    return this.#active?.suspect === true;
  }

  /** Resolves once the text is certain to last; after a rejection none of it is there. */
  async append(text: string): Promise<void> {
    const active = this.#active;
    if (active === undefined) throw new Error('no file of the record has been begun');
    await this.#clean(active);
    const bytes = Buffer.from(text);
    active.dirty = true;
    try {
      await this.#write(active, bytes);
    } catch (error) {
      // At once, so that a reader does not see it; if this fails too, before the next write.
      await this.#clean(active).catch(() => undefined);
      throw error;
    }
    active.end += bytes.length;
    active.dirty = false;
  }

  /** Ends the file; it is FILE.<number> from now on. */
  async retire(): Promise<void> {
    const active = this.#active;
    if (active === undefined) return;
    await this.#clean(active);
    await this.#storage.rename(this.#name, `${this.#name}.${this.#number}`);
    this.#active = undefined;
    this.#number += 1;
    this.#renamed = true;
    await active.file.close().catch(() => undefined);
    await this.#syncRenamed();
  }

  /** Begins the next file with a text: under another name first, so that all of it is there or nothing. */
  async begin(text: string): Promise<void> {
    // Before its old name is taken by another file.
    if (this.#renamed) await this.#syncRenamed();
    const unfinished = this.#name + unfinishedSuffix;
    const file = await this.#storage.create(unfinished);
    try {
      const bytes = Buffer.from(text);
      await file.write(bytes, 0);
      await file.sync();
      await this.#storage.rename(unfinished, this.#name);
      await this.#storage.syncNames();
      const [begunBytes, end] = [bytes.length, bytes.length];
      this.#active = { file, begunBytes, end, dirty: false, suspect: false, unsure: undefined };
    } catch (error) {
      // What is there of it was relied on by nobody, and makes way when this is tried again.
      await file.close().catch(() => undefined);
      throw error;
    }
  }

  /** Takes off what a failed write left at the end. */
  async close(): Promise<void> {
    const active = this.#active;
    this.#active = undefined;
    if (active === undefined) return;
    try {
      await this.#clean(active);
    } finally {
      await active.file.close();
    }
  }

  async #syncRenamed(): Promise<void> {
    await this.#storage.syncNames();
    this.#renamed = false;
  }

  async #write(active: Active, bytes: Buffer): Promise<void> {
    await active.file.write(bytes, active.end);
    await this.#sync(active);
  }

  async #clean(active: Active): Promise<void> {
    const { file, end, unsure } = active;
    if (!active.dirty && unsure === undefined) return;
    if (unsure !== undefined) await file.write(unsure, end - unsure.length);
    await file.truncate(end);
    await this.#sync(active);
    active.dirty = false;
    active.unsure = undefined;
  }

  async #sync(active: Active): Promise<void> {
    try {
      await active.file.sync();
    } catch (error) {
      // A second sync would succeed without having written anything.
      active.suspect = true;
      throw error;
    }
  }
}
