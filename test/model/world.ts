import type { AttemptOutcome } from '#relay/delivery/outcome.js';
import type { Delivery } from '#relay/delivery/send.js';
import { type Job, type JobId, newJobId } from '#relay/job/job.js';
import { LocalRegistry } from '#relay/job/local_registry.js';
import type { JobStore } from '#relay/job/store.js';
import type { Log } from '#relay/journal/log.js';
import { FakeClock, settled } from '../helpers/fake_clock.js';
import { MemoryDisk } from '../helpers/memory_disk.js';
import { openOn } from '../helpers/open_logs.js';
import { bounds, type Known, Ledger, must } from './ledger.js';

interface Flight {
  readonly known: Known;
  readonly land: (outcome: AttemptOutcome) => void;
}

/** One process: what it holds in memory is gone with it. */
interface Life {
  readonly clock: FakeClock;
  readonly registry: LocalRegistry;
  readonly log: Log;
  readonly flights: Set<Flight>;
  readonly waiters: Set<AbortController>;
}

const segmentBytes = 8000;

/** The relay's registry over a journal on a disk in memory, one process after the other, and the ledger beside it. */
export class World {
  readonly disk = new MemoryDisk();
  /** What the journal has confirmed. */
  readonly stored = new Map<JobId, Job>();
  readonly ledger = new Ledger(this.stored);
  /** A promise broken where nobody waits for it. */
  #broken: unknown;
  #writing = 0;
  #faultAtMs = -Infinity;
  /** Set once the end is near: every attempt is answered at once. */
  answersAll = false;
  /** Long polls are answered early then. */
  isStopping = false;
  #life: Life | undefined;

  get life(): Life {
    must(this.#life !== undefined, 'it is started');
    return this.#life;
  }

  get nowMs(): number {
    return this.life.clock.nowMs();
  }

  get storageFails(): boolean {
    return this.disk.faults.size > 0;
  }

  /** Whether a fault may still delay what would otherwise have happened. */
  get hasBeenWell(): boolean {
    return !this.storageFails && this.nowMs - this.#faultAtMs > 2 * bounds.limits.jobTimeoutMs;
  }

  get faultInThisLife(): boolean {
    return this.#faultAtMs > -Infinity;
  }

  setFault(fault: 'none' | 'full' | 'broken'): void {
    if (this.storageFails || fault !== 'none') this.#faultAtMs = this.nowMs;
    this.disk.faults.clear();
    if (fault === 'full') this.disk.faults.set('write', 'ENOSPC');
    if (fault === 'broken') this.disk.faults.set('sync', 'EIO');
  }

  async start(wallMs: number): Promise<void> {
    this.disk.faults.clear();
    this.#faultAtMs = -Infinity;
    const clock = new FakeClock(wallMs);
    const { log, jobs } = await openOn(this.disk, { segmentBytes, clock });
    this.ledger.stops(jobs, wallMs);
    this.stored.clear();
    for (const job of jobs) this.stored.set(job.id, job);
    const flights = new Set<Flight>();
    const registry: LocalRegistry = new LocalRegistry({
      ...bounds,
      clock,
      maxMemoryBytes: 1 << 20,
      maxKept: 1000,
      random: () => 1,
      store: this.#watched(log),
      deliver: (delivery) => this.#deliver(delivery, registry),
      onAttempt: () => undefined,
      onBug: (error) => (this.#broken = error),
      onChange: (job) => this.#observe(registry, () => this.ledger.shows(job, clock.nowMs(), restored)),
      onFinished: () => undefined,
    });
    this.#life = { clock, registry, log, flights, waiters: new Set() };
    let restored = false;
    registry.restore(jobs);
    restored = true;
    registry.start();
  }

  /** The process is gone from one moment to the next; with the power, what was not synced may be gone as well. */
  async kill(power: boolean, random: () => number, awayMs: number): Promise<void> {
    const wallMs = this.nowMs + awayMs;
    this.#life = undefined;
    this.#writing = 0;
    if (power) this.disk.cutPower(random);
    else this.disk.kill();
    await settled();
    await this.start(wallMs);
  }

  async stop(): Promise<void> {
    const { registry, clock, log } = this.life;
    this.isStopping = true;
    registry.close();
    const progress = { drained: false };
    const draining = registry.drain(2000).then(() => (progress.drained = true));
    for (let second = 0; second < 10 && !progress.drained; second += 1) await clock.advance(1000);
    await draining;
    await this.settle();
    must(clock.armed === 0, 'a timer is left at the stop');
    await log.close().catch((error: unknown) => {
      if (!this.storageFails) throw error;
    });
    this.isStopping = false;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start(this.nowMs);
  }

  async advance(ms: number): Promise<void> {
    if (this.storageFails) this.#faultAtMs = this.nowMs;
    await this.life.clock.advance(ms);
    if (this.storageFails) this.#faultAtMs = this.nowMs;
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 4;) {
      await settled();
      quiet = this.#writing === 0 ? quiet + 1 : 0;
    }
  }

  /** Throws what was found broken behind everybody's back. */
  check(): void {
    if (this.#broken !== undefined) throw this.#broken as Error;
  }

  /** What follows from a call, unless the process that was called is gone by then. */
  async answer<Value>(call: Promise<Value>, then: (value: Value) => void): Promise<void> {
    const { registry } = this.life;
    const value = await call;
    this.#observe(registry, () => then(value));
  }

  #observe(registry: LocalRegistry, observation: () => void): void {
    if (this.#life?.registry !== registry) return;
    try {
      observation();
    } catch (error) {
      this.#broken ??= error;
    }
  }

  #watched(log: Log): JobStore {
    const watch = async (write: Promise<unknown>, then: () => void): Promise<void> => {
      this.#writing += 1;
      const life = this.#life;
      try {
        await write;
        if (life === this.#life) then();
      } finally {
        if (life === this.#life) this.#writing -= 1;
      }
    };
    return {
      put: (job) => watch(log.write(job.id, job), () => this.stored.set(job.id, job)),
      remove: (ids) =>
        watch(Promise.all(ids.map((id) => log.write(id, 'removed'))), () =>
          ids.forEach((id) => this.stored.delete(id)),
        ),
      probe: () => watch(log.write(newJobId(), 'tried'), () => undefined),
    };
  }

  #deliver(delivery: Delivery, registry: LocalRegistry): Promise<AttemptOutcome> {
    return new Promise((resolve) => {
      this.#observe(registry, () => {
        const { clock, flights } = this.life;
        const known = this.ledger.begins(delivery, clock.nowMs(), this.hasBeenWell);
        const land = (outcome: AttemptOutcome): void => {
          if (!flights.delete(flight)) return;
          cancel();
          known.flying = false;
          resolve(outcome);
        };
        const fail = (code: 'timeout' | 'cancelled') => () =>
          land({ kind: 'failed', error: { code, message: '' } });
        const cancel = clock.after(delivery.timeoutMs, fail('timeout'));
        const flight = { known, land };
        flights.add(flight);
        delivery.cancellation.tell(fail('cancelled'));
        if (this.answersAll) land(ok);
      });
    });
  }
}

export const ok: AttemptOutcome = {
  kind: 'answered',
  answer: { statusCode: 200, headers: {}, body: 'ok', encoding: 'utf-8', truncated: false },
};
