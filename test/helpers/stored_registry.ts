import type { ExecutionContext } from 'ava';
import type { Job, NewJob } from '#relay/job/job.js';
import type { LocalRegistryOptions } from '#relay/job/local_registry.js';
import { FakeClock, settled } from './fake_clock.js';
import { accept, createRegistry, type RegistryUnderTest } from './jobs.js';
import { ScriptedStore } from './scripted_store.js';

export interface Stored extends RegistryUnderTest {
  readonly store: ScriptedStore;
}

/** A registry over a store that works until the test says otherwise. A timer that is left at the end is a leak. */
export function createStored(
  t: ExecutionContext,
  overrides: Partial<LocalRegistryOptions> = {},
  { store = new ScriptedStore(), clock = new FakeClock() } = {},
): Stored {
  const under = createRegistry({ store, ...overrides }, clock);
  t.teardown(async () => {
    store.mode = 'fails';
    for (const { fail } of store.held.splice(0)) fail();
    under.registry.close();
    const drained = under.registry.drain(0);
    await under.clock.advance(0);
    await drained;
    if (under.clock.armed > 0) throw new Error('a drained registry has left a timer');
  });
  return { ...under, store };
}

/** The registry of a process that starts on what was left by one that was killed. `awayMs` is what the wall clock says. */
export function restarted(
  t: ExecutionContext,
  before: Stored,
  awayMs = 0,
  overrides: Partial<LocalRegistryOptions> = {},
): Stored {
  const store = new ScriptedStore(before.store.jobs);
  const under = createStored(t, overrides, { store, clock: new FakeClock(before.clock.nowMs() + awayMs) });
  under.registry.restore([...store.jobs.values()]);
  under.registry.start();
  return under;
}

/** A job that is written, and what happens to the writes that follow. */
export async function accepted(
  { registry, store }: Stored,
  then: ScriptedStore['mode'],
  overrides: Partial<NewJob> = {},
): Promise<Job> {
  store.mode = 'holds';
  const submitted = accept(registry, overrides);
  store.mode = then;
  store.next().take();
  return submitted;
}

/** A job whose first attempt is in flight. */
export async function flying({ registry, store }: Stored): Promise<Job> {
  const job = await accept(registry);
  await settled();
  if (store.jobs.get(job.id)?.state !== 'Processing') throw new Error('it does not fly');
  return job;
}

/** What a client is told while the storage fails. */
export const unavailable = {
  ok: false,
  failure: { code: 'storage_unavailable', retryAfterSeconds: 5 },
} as const;
