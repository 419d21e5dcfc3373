import test from 'ava';
import fc from 'fast-check';
import type { Log } from '#relay/journal/log.js';
import type { Job } from '#relay/job/job.js';
import { MemoryDisk } from '../helpers/memory_disk.js';
import { openOn, put } from '../helpers/open_logs.js';
import { begun, ended, pending } from '../helpers/stored_jobs.js';

/** What is known of a job: what was acknowledged last, and what was asked for since. */
interface Expected {
  acknowledged: Job | 'nothing';
  readonly asked: (Job | 'nothing')[];
}

/** A client that knows what it was promised. */
class Client {
  readonly expected = new Map<string, Expected>();
  readonly #next: () => number;

  constructor(next: () => number) {
    this.#next = next;
  }

  /** One change, of a new job or an existing one; it may or may not be acknowledged. */
  async change(log: Log): Promise<void> {
    const unfinished = [...this.expected.values()].filter(({ asked }) => asked.length === 0);
    const known = unfinished[Math.floor(this.#next() * unfinished.length * 1.5)];
    const before = known?.acknowledged;
    if (known === undefined || before === undefined || before === 'nothing') {
      const job = pending('d'.repeat(Math.floor(this.#next() * 3000)));
      await this.#ask(log, { acknowledged: 'nothing', asked: [] }, job);
      return;
    }
    const dice = this.#next();
    if (before.state === 'Finished' || dice < 0.15) await this.#remove(log, known, before);
    else await this.#ask(log, known, dice < 0.6 ? begun(before) : ended(begun(before)));
  }

  /** After a restart: everything is as it was acknowledged, or as it was asked for and not answered. */
  check(jobs: readonly Job[]): void {
    const found = new Map(jobs.map((job) => [job.id as string, job]));
    for (const [id, { acknowledged, asked }] of this.expected) {
      const stored = found.get(id);
      const is = JSON.stringify(stored) as string | undefined;
      const possible = [acknowledged, ...asked].map((one) =>
        one === 'nothing' ? undefined : JSON.stringify(one),
      );
      if (!possible.includes(is)) throw new Error(`${id} is ${String(is)}, not ${possible.join(' or ')}`);
      found.delete(id);
      // It stays as it was found.
      this.expected.set(id, { acknowledged: stored ?? 'nothing', asked: [] });
    }
    if (found.size > 0) throw new Error(`${found.size} jobs that nobody put`);
  }

  async #ask(log: Log, entry: Expected, job: Job): Promise<void> {
    this.expected.set(job.id, entry);
    entry.asked.push(job);
    await put(log, job);
    entry.acknowledged = job;
    entry.asked.length = 0;
  }

  async #remove(log: Log, entry: Expected, job: Job): Promise<void> {
    entry.asked.push('nothing');
    await log.write(job.id, 'removed');
    entry.acknowledged = 'nothing';
    entry.asked.length = 0;
  }
}

const runs = Number(process.env['JOURNAL_POWER_CUTS'] ?? 150);

test('neither a kill nor a power cut at any point loses or alters what was acknowledged', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ lifetime: fc.integer({ min: 1, max: 60 }), power: fc.boolean() }), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
      async (lives, randoms) => {
        const next = (): number => Number(randoms.next().value);
        const disk = new MemoryDisk();
        const client = new Client(next);
        for (const { lifetime, power } of lives) {
          const { log, jobs } = await openOn(disk, { segmentBytes: 12_000 });
          client.check(jobs);
          disk.lifetime = lifetime;
          while (disk.lifetime > 0) {
            const changes = Array.from({ length: 1 + Math.floor(next() * 4) }, () => client.change(log));
            await Promise.allSettled(changes);
          }
          if (power) disk.cutPower(next);
          else disk.kill();
        }
        client.check((await openOn(disk)).jobs);
      },
    ),
    { numRuns: runs, includeErrorInReport: true },
  );
  t.pass();
});
