import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, open, readdir, unlink } from 'node:fs/promises';
import { createServer, connect, type Server } from 'node:net';
import { platform } from 'node:os';
import { join, resolve } from 'node:path';
import { errorCode } from './write_error.js';

export type Locked =
  | { readonly ok: true; readonly release: () => Promise<void> }
  | { readonly ok: false; readonly reason: 'in_use' }
  /** Completes a sentence that begins with the directory's name. */
  | { readonly ok: false; readonly reason: 'unusable'; readonly why: string };

/**
 * Keeps every other process out of a directory until this one releases it or dies, however it dies.
 *
 * The lock is a Unix socket in the directory on which its process listens. Who listens is known to the kernel, not
 * to a file: `kill -9` frees it, a process that is stopped or busy keeps it, and since such a socket is found
 * through the file system, it works between containers that share a volume on one machine, where process ids (each
 * container has a process 1) and abstract sockets do not. Across machines it does not: a journal belongs on a local
 * disk.
 *
 * Each process listens on a socket with a name of its own first and looks for others afterwards. Of two that start
 * at the same time at least the later one sees the other, so never do both get in; it may be that neither does.
 */
export async function lockDirectory(directory: string): Promise<Locked> {
  const name = `lock-${randomBytes(8).toString('hex')}.sock`;
  const base = await reachableBase(resolve(directory), name);
  if (base === undefined)
    return { ok: false, reason: 'unusable', why: 'has too long a name for a Unix socket' };
  const server = createServer((socket) => socket.destroy());
  const release = async (): Promise<void> => {
    if (server.listening) await closed(server);
    await unlink(join(directory, name)).catch(() => undefined);
    await base.close();
  };
  try {
    server.listen(join(base.path, name));
    await once(server, 'listening');
    // It must not keep the process alive.
    server.unref();
    await chmod(join(directory, name), 0o600);
    const others = (await readdir(directory)).filter((other) => isLockName(other) && other !== name);
    for (const other of others) {
      if (await isHeld(join(base.path, other))) {
        await release();
        return { ok: false, reason: 'in_use' };
      }
      await unlink(join(directory, other)).catch(() => undefined);
    }
    return { ok: true, release };
  } catch (error) {
    await release();
    return { ok: false, reason: 'unusable', why: `cannot hold a Unix socket (${errorCode(error)})` };
  }
}

export function isLockName(name: string): boolean {
  return /^lock-[0-9a-f]{16}\.sock$/.test(name);
}

/** Longest path of a Unix socket on any system; Node cuts a longer one off without a word. */
const maxSocketPathBytes = 103;

interface Base {
  readonly path: string;
  readonly close: () => Promise<void>;
}

/** A short way to the directory; `undefined` if there is none. */
async function reachableBase(directory: string, name: string): Promise<Base | undefined> {
  if (Buffer.byteLength(join(directory, name)) <= maxSocketPathBytes) {
    return { path: directory, close: () => Promise.resolve() };
  }
  if (platform() !== 'linux') return undefined;
  const handle = await open(directory, 'r');
  return { path: `/proc/self/fd/${handle.fd}`, close: () => handle.close() };
}

/** Whether a process listens. Anything but the kernel's clear "nobody" counts as somebody. */
async function isHeld(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    return !['ECONNREFUSED', 'ENOENT'].includes(errorCode(error));
  } finally {
    socket.destroy();
  }
}

function closed(server: Server): Promise<void> {
  return new Promise((resolveClosed) => {
    server.close(() => resolveClosed());
  });
}
