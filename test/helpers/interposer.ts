/**
 * Loaded into the real program before anything else (`node --import=…/interposer.js dist/main.js serve …`): stands
 * between it and the system, so that a test can kill it at a named point, make its disk fail or see in which order it
 * does things, without a line for that in the program. Takes orders over the IPC channel.
 */
import fs from 'node:fs';
import promises, { type FileHandle } from 'node:fs/promises';
import { ServerResponse } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { Socket } from 'node:net';
import { basename } from 'node:path';

/** What a commit of the journal was about; one commit may be about several jobs. */
type Stage = 'accept' | 'begin' | 'end' | 'remove';

/** Where the program can be killed. */
export type Point =
  | `${Stage} before write`
  | `${Stage} before sync`
  | `${Stage} after sync`
  | 'before post'
  | 'before unlink';

export type Operation = 'write' | 'sync' | 'truncate' | 'create' | 'scrub';

export type Order =
  | { readonly kind: 'kill'; readonly point: Point; readonly crossing: number }
  /** Lets `skip` operations pass, then fails `count` of them. */
  | {
      readonly kind: 'fail';
      readonly operation: Operation;
      readonly code: string;
      readonly skip: number;
      readonly count: number;
    }
  | { readonly kind: 'heal' }
  | { readonly kind: 'block'; readonly ms: number }
  /** Sets the wall clock, and goes on setting it every second. */
  | { readonly kind: 'clock'; readonly atOnceMs: number; readonly everySecondMs: number }
  | { readonly kind: 'report' };

/** What was done in which order. */
export interface OrderReport {
  /** Answers to submissions that were accepted. */
  readonly replies: number;
  /** Of these, written before the sync of what was accepted had returned. */
  readonly tooEarly: number;
  readonly syncs: number;
  /** Changes written to a file after a sync of it had failed. */
  readonly writtenAfterFailedSync: number;
}

const frameHeaderBytes = 48;
const magic = 'XRJF';
const stages: ReadonlyMap<number, Stage> = new Map([
  [1, 'accept'],
  [2, 'begin'],
  [3, 'end'],
  [4, 'remove'],
]);

let kill: { readonly point: Point; left: number } | undefined;
const failures = new Map<Operation, { readonly code: string; skip: number; count: number }>();
const durable = new Set<string>();
let [replies, tooEarly, syncs, writtenAfterFailedSync] = [0, 0, 0, 0];

function crossing(point: Point): void {
  if (kill?.point !== point) return;
  kill.left -= 1;
  if (kill.left > 0) return;
  process.kill(process.pid, 'SIGKILL');
  // Nothing more happens, whenever the signal arrives.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

function mayFail(operation: Operation): void {
  const failure = failures.get(operation);
  if (failure === undefined) return;
  if (failure.skip > 0) {
    failure.skip -= 1;
    return;
  }
  failure.count -= 1;
  if (failure.count <= 0) failures.delete(operation);
  throw Object.assign(new Error(`${failure.code}: made to fail`), {
    code: failure.code,
    syscall: operation,
  });
}

interface Written {
  readonly stages: ReadonlySet<Stage>;
  readonly accepted: readonly string[];
}

/** What a write to the journal is about; nothing, if it is a header or the room made ahead. */
function read(bytes: Uint8Array): Written {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = new Set<Stage>();
  const accepted: string[] = [];
  for (let at = 0; at + frameHeaderBytes <= buffer.length;) {
    if (buffer.toString('latin1', at, at + 4) !== magic) break;
    const stage = stages.get(buffer.readUInt32LE(at + 4));
    if (stage === 'accept') accepted.push(buffer.toString('hex', at + 16, at + 32));
    if (stage !== undefined) found.add(stage);
    at += frameHeaderBytes + buffer.readUInt32LE(at + 8);
  }
  // A job's first state goes along with its data.
  if (found.has('accept')) found.delete('begin');
  return { stages: found, accepted };
}

/** A file of the journal, watched. */
function watched(handle: FileHandle): unknown {
  let unsynced: Written[] = [];
  let syncFailed = false;
  return {
    get fd() {
      return handle.fd;
    },
    stat: () => handle.stat(),
    chmod: (mode: number) => handle.chmod(mode),
    close: () => handle.close(),
    read: (buffer: Buffer, offset: number, length: number, position: number) =>
      handle.read(buffer, offset, length, position),
    async write(bytes: Uint8Array, offset: number, length: number, position: number) {
      const written = read(bytes.subarray(offset, offset + length));
      for (const stage of written.stages) crossing(`${stage} before write`);
      if (syncFailed && written.stages.size > 0) writtenAfterFailedSync += 1;
      mayFail('write');
      const result = await handle.write(bytes, offset, length, position);
      unsynced.push(written);
      for (const stage of written.stages) crossing(`${stage} before sync`);
      return result;
    },
    async datasync() {
      const covered = unsynced;
      unsynced = [];
      try {
        mayFail('sync');
        await handle.datasync();
      } catch (error) {
        syncFailed = true;
        throw error;
      }
      syncs += 1;
      for (const { accepted } of covered) for (const id of accepted) durable.add(id);
      for (const stage of new Set(covered.flatMap((written) => [...written.stages]))) {
        crossing(`${stage} after sync`);
      }
    },
    async truncate(bytes: number) {
      mayFail('truncate');
      await handle.truncate(bytes);
    },
  };
}

function original(of: object, name: string): (self: unknown, args: readonly unknown[]) => unknown {
  const value: unknown = Reflect.get(of, name);
  if (typeof value !== 'function') throw new Error(`there is no ${name}`);
  return (self, args) => Reflect.apply(value, self, args) as unknown;
}

const isJournalFile = (path: unknown): boolean =>
  typeof path === 'string' && /^jobs-\d+\.log/.test(basename(path));

const open = original(promises, 'open');
const unlink = original(promises, 'unlink');
const writeSync = original(fs, 'writeSync');
Object.assign(promises, {
  async open(this: unknown, ...args: readonly unknown[]) {
    if (!isJournalFile(args[0])) return open(this, args);
    if (args[1] === 'w+') mayFail('create');
    return watched((await open(this, args)) as FileHandle);
  },
  unlink(this: unknown, ...args: readonly unknown[]) {
    if (isJournalFile(args[0])) crossing('before unlink');
    return unlink(this, args);
  },
});
Object.assign(fs, {
  writeSync(this: unknown, ...args: readonly unknown[]) {
    // The journal alone writes ranges of zeros at positions.
    if (args[1] instanceof Uint8Array && typeof args[4] === 'number') mayFail('scrub');
    return writeSync(this, args);
  },
});
syncBuiltinESMExports();

const end = original(ServerResponse.prototype, 'end');
const write = original(Socket.prototype, 'write');
Object.assign(ServerResponse.prototype, {
  end(this: ServerResponse, ...args: readonly unknown[]) {
    const [text] = args;
    if (this.statusCode === 200 && typeof text === 'string' && text.includes('"state":"Pending"')) {
      const id = /"id":"([0-9a-f-]{36})"/.exec(text)?.[1]?.replaceAll('-', '') ?? '';
      replies += 1;
      if (!durable.has(id)) tooEarly += 1;
    }
    return end(this, args);
  },
});
Object.assign(Socket.prototype, {
  write(this: Socket, ...args: readonly unknown[]) {
    if (typeof args[0] === 'string' && args[0].startsWith('POST ')) crossing('before post');
    return write(this, args);
  },
});

let wallClockOffsetMs = 0;
const now = original(Date, 'now');
Object.assign(Date, { now: () => Number(now(Date, [])) + wallClockOffsetMs });

function obey(order: Order): void {
  switch (order.kind) {
    case 'kill':
      kill = { point: order.point, left: order.crossing };
      break;
    case 'fail':
      failures.set(order.operation, { code: order.code, skip: order.skip, count: order.count });
      break;
    case 'heal':
      failures.clear();
      break;
    case 'block':
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, order.ms);
      break;
    case 'clock':
      wallClockOffsetMs += order.atOnceMs;
      setInterval(() => (wallClockOffsetMs += order.everySecondMs), 1000).unref();
      break;
    case 'report':
      break;
  }
}

process.on('message', (order: Order) => {
  obey(order);
  const report: OrderReport = { replies, tooEarly, syncs, writtenAfterFailedSync };
  process.send?.(report);
});
// The channel must not keep the program alive.
process.channel?.unref();
