import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { type Job, newJobId } from '#relay/job/job.js';
import type { LocalRegistryOptions } from '#relay/job/local_registry.js';
import type { JobRegistry } from '#relay/job/registry.js';
import type { JobStore } from '#relay/job/store.js';
import { openJournal } from '#relay/journal/journal.js';
import { type FakeClock, settled } from './fake_clock.js';
import { createRegistry, type HeldDeliveries } from './jobs.js';
import { MemoryDisk } from './memory_disk.js';
import { openOn } from './open_logs.js';

/** Where an implementation keeps its jobs. */
export interface Medium {
  readonly name: string;
  /** A place that one test has for itself, and how to open it, one process after the other. */
  readonly create: (t: ExecutionContext) => Promise<(() => Promise<Opened>) | undefined>;
}

interface Opened {
  readonly store: JobStore;
  readonly jobs: readonly Job[];
  readonly close: () => Promise<void>;
}

export const media: readonly Medium[] = [
  { name: 'memory', create: () => Promise.resolve(undefined) },
  {
    name: 'a journal in memory',
    create: () => {
      const disk = new MemoryDisk();
      return Promise.resolve(async () => {
        const { log, jobs } = await openOn(disk, { segmentBytes: 12_000 });
        const store: JobStore = {
          put: (job) => log.write(job.id, job),
          remove: async (ids) => {
            await Promise.all(ids.map((id) => log.write(id, 'removed')));
          },
          probe: () => log.write(newJobId(), 'tried'),
        };
        return { store, jobs, close: () => log.close() };
      });
    },
  },
  {
    name: 'a journal on disk',
    create: async (t) => {
      const directory = await mkdtemp(join(tmpdir(), 'registry-'));
      t.teardown(() => rm(directory, { recursive: true, force: true }));
      return async () => {
        const opened = await openJournal({ directory });
        if (!opened.ok) throw new Error(opened.detail);
        const { journal, jobs } = opened;
        return { store: journal, jobs, close: () => journal.close() };
      };
    },
  },
];

/** A registry under the contract, known by its interface alone, and the world around it. */
export interface Subject {
  readonly registry: JobRegistry;
  readonly clock: FakeClock;
  readonly held: HeldDeliveries;
  readonly finished: readonly Job[];
  /** Lets everything happen that needs no time. */
  readonly settle: () => Promise<void>;
  /** The same for what is due after a while. */
  readonly advance: (ms: number) => Promise<void>;
}

/** At the end it is stopped: no timer may be left, and what a next process finds has to be what this one showed last. */
export async function createSubject(
  t: ExecutionContext,
  medium: Medium,
  options: Partial<LocalRegistryOptions>,
): Promise<Subject> {
  const open = await medium.create(t);
  const opened = await open?.();
  const writes = { pending: 0 };
  const shown = new Map<string, Job>();
  const subject = createRegistry({
    store: opened && counted(opened.store, writes),
    onChange: (job) => shown.set(job.id, job),
    ...options,
  });
  const { registry, clock } = subject;
  const settle = async (): Promise<void> => {
    for (let quiet = 0; quiet < 3;) {
      await settled();
      quiet = writes.pending === 0 ? quiet + 1 : 0;
    }
  };
  t.teardown(async () => {
    registry.close();
    const draining = registry.drain(0);
    await clock.advance(0);
    await draining;
    await settle();
    if (clock.armed > 0) throw new Error('a timer is left at the stop');
    if (opened === undefined || open === undefined) return;
    await opened.close();
    const next = await open();
    await next.close();
    for (const job of next.jobs) {
      const last = shown.get(job.id);
      if (job.version !== last?.version)
        throw new Error(`${job.version} came back, not ${last?.version ?? 'nothing'}`);
      shown.delete(job.id);
    }
    for (const { id } of shown.values()) {
      if ((await registry.get(id)) !== undefined) throw new Error('a job did not come back');
    }
  });
  const advance = async (ms: number): Promise<void> => {
    await settle();
    await clock.advance(ms);
    await settle();
  };
  return { ...subject, settle, advance };
}

function counted(store: JobStore, writes: { pending: number }): JobStore {
  const count = async (write: Promise<void>): Promise<void> => {
    writes.pending += 1;
    await write.finally(() => (writes.pending -= 1));
  };
  return {
    put: (job) => count(store.put(job)),
    remove: (ids) => count(store.remove(ids)),
    probe: () => store.probe(),
  };
}
