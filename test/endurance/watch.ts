import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { request } from 'undici';
import { samplesOf } from '../helpers/metrics.js';
import { Host } from './host.js';
import type { Target } from './target.js';

/** What was seen of the relay at one moment. */
export interface Sample {
  readonly atMs: number;
  /** Which of the relays that took over from each other. */
  readonly life: number;
  readonly rssBytes: number;
  readonly descriptors: number;
  readonly journalBytes: number;
  readonly auditBytes: number;
  /** Of the processor time that this machine wanted since the look before, what it got. */
  readonly granted: number;
  /** What `/metrics` says, by name and labels. */
  readonly metrics: ReadonlyMap<string, number>;
}

const metricNames: ReadonlySet<string> = new Set([
  'nodejs_heap_size_used_bytes',
  'nodejs_external_memory_bytes',
  'nodejs_eventloop_lag_p99_seconds',
  'nodejs_eventloop_lag_max_seconds',
  'process_cpu_seconds_total',
  'export_relay_jobs{state="pending"}',
  'export_relay_jobs{state="processing"}',
  'export_relay_jobs{state="finished"}',
  'export_relay_connections{side="client"}',
  'export_relay_connections{side="destination"}',
  'export_relay_waiters',
  'export_relay_websockets',
  'export_relay_lanes',
  'export_relay_attempts_in_flight',
  'export_relay_memory_budget_used_bytes',
  'export_relay_unread_answers_bytes',
  'export_relay_bugs_total',
  'export_relay_log_lines_lost_total',
]);

export interface WatchedFiles {
  readonly journal: string;
  readonly audit: string;
}

/** Looks at the relay once a second. */
export class Watch {
  readonly samples: Sample[] = [];
  /** Looks that failed although the relay was there. */
  missed = 0;
  readonly #target: Target;
  readonly #files: WatchedFiles;
  readonly #host = new Host();
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> = Promise.resolve();

  constructor(target: Target, files: WatchedFiles) {
    this.#target = target;
    this.#files = files;
    this.#timer = setInterval(() => {
      this.#looking = this.#looking.then(() => this.#note());
    }, 1000);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** What there is to see now. */
  async look(): Promise<Sample> {
    const { relay, lives: life } = this.#target;
    const response = await request(`${relay.adminUrl}/metrics`);
    const all = samplesOf(await response.body.text());
    return {
      atMs: performance.now(),
      life,
      rssBytes: (await relay.memory()).rss,
      descriptors: await relay.descriptors(),
      journalBytes: await bytesIn(this.#files.journal, ''),
      auditBytes: await bytesIn(join(this.#files.audit, '..'), 'audit.log'),
      granted: await this.#host.granted(),
      metrics: new Map([...all].filter(([name]) => metricNames.has(name))),
    };
  }

  async #note(): Promise<void> {
    const { lives } = this.#target;
    if (this.#target.down) return;
    try {
      this.samples.push(await this.look());
    } catch {
      if (lives === this.#target.lives) this.missed += 1;
    }
  }
}

/** How much the files in a directory whose names begin so have in them. Those that go meanwhile do not count. */
async function bytesIn(directory: string, prefix: string): Promise<number> {
  const names = (await readdir(directory)).filter((name) => name.startsWith(prefix));
  const sizes = names.map((name) =>
    stat(join(directory, name)).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
