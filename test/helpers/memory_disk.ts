import type { ByteRange, Storage, StorageFile } from '#relay/journal/storage.js';

const sectorBytes = 512;

type Operation = 'create' | 'write' | 'sync' | 'truncate' | 'rename' | 'remove' | 'syncNames';

/** A file of a `MemoryDisk`: what a process sees of it, and what a power cut would leave for certain. */
class MemoryFile {
  current = Buffer.alloc(0);
  durable = Buffer.alloc(0);
  /** Sectors in which the two may differ. */
  readonly dirty = new Set<number>();

  write(bytes: Uint8Array, offset: number): void {
    this.resize(Math.max(this.current.length, offset + bytes.length));
    this.current.set(bytes, offset);
    this.#touch(offset, offset + bytes.length);
  }

  resize(bytes: number): void {
    const before = this.current.length;
    if (bytes === before) return;
    const resized = Buffer.alloc(bytes);
    this.current.copy(resized);
    this.current = resized;
    this.#touch(Math.min(before, bytes), Math.max(before, bytes));
  }

  makeDurable(sectors: Iterable<number>, bytes: number): void {
    const durable = Buffer.alloc(bytes);
    this.durable.copy(durable);
    for (const sector of sectors) {
      const start = sector * sectorBytes;
      if (start < this.current.length) this.current.copy(durable, start, start, start + sectorBytes);
    }
    this.durable = durable;
  }

  #touch(start: number, end: number): void {
    for (let sector = Math.floor(start / sectorBytes); sector * sectorBytes < end; sector += 1) {
      this.dirty.add(sector);
    }
  }
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code} from the memory disk`), { code });
}

/** A disk that fills up, fails and loses power when a test says so. One process uses it at a time. */
export class MemoryDisk {
  /** All that files may take together. */
  capacityBytes = Infinity;
  /** What every further call of an operation fails with. */
  readonly faults = new Map<Operation, string>();
  /** Operations left before the process dies: all later ones fail and change nothing. */
  lifetime = Infinity;
  readonly log: string[] = [];
  names = new Map<string, MemoryFile>();
  #durableNames = new Map<string, MemoryFile>();
  /** What was done to names since they were durable. */
  #nameChanges: ((names: Map<string, MemoryFile>) => void)[] = [];
  #process = 0;

  /** What a process sees that starts now; one that was started before can do nothing any more. */
  storage(): Storage {
    this.#process += 1;
    const process = this.#process;
    this.lifetime = Infinity;
    const begin = (operation: Operation, name: string): void => {
      if (process !== this.#process || this.lifetime <= 0) throw systemError('EDEAD');
      this.lifetime -= 1;
      this.log.push(`${operation} ${name}`);
      const code = this.faults.get(operation);
      if (code !== undefined && operation !== 'sync') throw systemError(code);
    };
    return {
      list: () => Promise.resolve([...this.names.keys()]),
      create: async (name) => {
        await turn();
        begin('create', name);
        const file = new MemoryFile();
        this.#changeNames((names) => names.set(name, file));
        return this.#handle(name, file, begin);
      },
      open: async (name) => {
        await turn();
        const file = this.names.get(name);
        if (file === undefined) throw systemError('ENOENT');
        return this.#handle(name, file, begin);
      },
      rename: async (from, to) => {
        await turn();
        begin('rename', to);
        const file = this.names.get(from);
        if (file === undefined) throw systemError('ENOENT');
        this.#changeNames((names) => {
          if (names.get(from) !== file) return;
          names.delete(from);
          names.set(to, file);
        });
      },
      remove: async (name) => {
        await turn();
        begin('remove', name);
        const file = this.names.get(name);
        if (file === undefined) throw systemError('ENOENT');
        this.#changeNames((names) => names.get(name) === file && names.delete(name));
      },
      syncNames: async () => {
        await turn();
        begin('syncNames', '');
        this.#durableNames = new Map(this.names);
        this.#nameChanges = [];
      },
    };
  }

  /** Kills the process: what it has written stays. */
  kill(): void {
    this.#process += 1;
  }

  /**
   * Cuts the power: of what was not synced, any sector and size may be there or not, as the dice say, and any file may
   * have been created, renamed or removed or not.
   */
  cutPower(random: () => number, randomOfNames = random): void {
    this.#process += 1;
    const names = new Map(this.#durableNames);
    for (const change of this.#nameChanges) if (randomOfNames() < 0.5) change(names);
    this.#nameChanges = [];
    this.names = names;
    this.#durableNames = new Map(names);
    for (const file of new Set(names.values())) {
      const kept = [...file.dirty].filter(() => random() < 0.5);
      file.makeDurable(kept, random() < 0.5 ? file.current.length : file.durable.length);
      file.current = Buffer.from(file.durable);
      file.dirty.clear();
    }
  }

  /** The bytes of a file, to look at and to damage. */
  bytes(name: string): Buffer {
    const file = this.names.get(name);
    if (file === undefined) throw new Error(`there is no ${name}`);
    return file.current;
  }

  setBytes(name: string, bytes: Uint8Array): void {
    const file = new MemoryFile();
    file.current = Buffer.from(bytes);
    file.durable = Buffer.from(bytes);
    this.names.set(name, file);
    this.#durableNames.set(name, file);
  }

  /** A disk of its own with the same files. */
  copy(): MemoryDisk {
    const copy = new MemoryDisk();
    for (const name of this.names.keys()) copy.setBytes(name, this.bytes(name));
    return copy;
  }

  /** Whether any file has these bytes in it. */
  holds(text: string): boolean {
    return [...this.names.values()].some(({ current }) => current.includes(text));
  }

  get usedBytes(): number {
    return [...this.names.values()].reduce((sum, { current }) => sum + current.length, 0);
  }

  #changeNames(change: (names: Map<string, MemoryFile>) => void): void {
    change(this.names);
    this.#nameChanges.push(change);
  }

  #handle(name: string, file: MemoryFile, begin: (operation: Operation, name: string) => void): StorageFile {
    return {
      read: async (maxBytes = Infinity, scratch) => {
        await turn();
        const bytes = file.current.subarray(0, Math.min(maxBytes, file.current.length));
        if (scratch === undefined || scratch.length < bytes.length) return Buffer.from(bytes);
        bytes.copy(scratch);
        return scratch.subarray(0, bytes.length);
      },
      write: async (bytes, offset) => {
        await turn();
        begin('write', `${name} ${offset}+${bytes.length}`);
        const room = this.capacityBytes - this.usedBytes + file.current.length;
        file.write(bytes.subarray(0, Math.max(0, room - offset)), offset);
        if (offset + bytes.length > Math.max(room, file.current.length)) throw systemError('ENOSPC');
      },
      zero: (ranges: readonly ByteRange[]) => {
        begin('write', name);
        for (const { offset, bytes } of ranges) file.write(Buffer.alloc(bytes), offset);
      },
      sync: async () => {
        await turn();
        begin('sync', name);
        const code = this.faults.get('sync');
        const dirty = [...file.dirty];
        // After a failure a system forgets what it could not write: the next sync succeeds without it.
        file.dirty.clear();
        if (code !== undefined) throw systemError(code);
        file.makeDurable(dirty, file.current.length);
      },
      truncate: async (bytes) => {
        await turn();
        begin('truncate', name);
        file.resize(bytes);
      },
      close: () => Promise.resolve(),
    };
  }
}

/** Real storage answers later as well. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
