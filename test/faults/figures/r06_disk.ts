import { spawnSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ExportClient, type Reply } from '../../helpers/export_client.js';
import { eventually } from '../../helpers/eventually.js';
import type { Operation } from '../../helpers/interposer.js';
import { Ledger } from '../../helpers/ledger.js';
import { RelayProcess } from '../../helpers/relay_process.js';
import type { Cleanup } from '../../helpers/scripted_destination.js';
import { atLeast, below, exactly, type Figure, type Scale, type Scenario, scratch } from './scenario.js';

/** A client of a relay whose disk fails, and what it was told. */
class Witness {
  readonly ledger: Ledger;
  readonly accepted = new Map<string, string>();
  readonly refusedData = new Set<string>();
  slowestRefusalMs = 0;
  otherAnswers = 0;
  #number = 0;
  #client: ExportClient;

  constructor(ledger: Ledger, url: string) {
    this.ledger = ledger;
    this.#client = new ExportClient(url);
  }

  async submit(bytes = 100): Promise<boolean> {
    const data = `{"number":${(this.#number += 1)},"text":"${'x'.repeat(bytes)}"}`;
    const reply = await this.#client.submit(this.ledger.url, data);
    if (reply.status === 200) this.accepted.set(reply.json.id, data);
    else this.#refused(data, reply);
    return reply.status === 200;
  }

  async unreadable(): Promise<number> {
    let missing = 0;
    for (const id of this.accepted.keys()) if ((await this.#client.poll(id)).status !== 200) missing += 1;
    return missing;
  }

  /** Another relay on the same journal. */
  async moveTo(url: string): Promise<void> {
    await this.#client.close();
    this.#client = new ExportClient(url);
  }

  async unfinished(): Promise<number> {
    let count = 0;
    for (const id of this.accepted.keys()) {
      if (!(await this.#client.delivered(id))) count += 1;
    }
    return count;
  }

  figures(): readonly Figure[] {
    const leaked = [...this.ledger.deliveries.values()].filter(({ bodies }) =>
      bodies.some((body) => this.refusedData.has(body)),
    ).length;
    return [
      exactly('refusals other than 503 storage_unavailable with Retry-After', 0, this.otherAnswers),
      below('slowest refusal', 1000, this.slowestRefusalMs, ' ms'),
      exactly('refused jobs delivered all the same', 0, leaked),
    ];
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  #refused(data: string, { status, retryAfter, json, afterMs }: Reply): void {
    this.refusedData.add(data);
    this.slowestRefusalMs = Math.max(this.slowestRefusalMs, afterMs);
    const right = status === 503 && json.code === 'storage_unavailable' && Number(retryAfter) > 0;
    if (!right) this.otherAnswers += 1;
  }
}

async function failingCalls(t: Cleanup, scale: Scale): Promise<readonly Figure[]> {
  const journal = await scratch(t);
  const relay = await RelayProcess.start(t, { journal, interposed: true });
  const witness = new Witness(await Ledger.start(t), relay.url);
  await witness.submit();
  const cases: readonly (readonly [Operation, string])[] = [
    ['write', 'ENOSPC'],
    ['write', 'EDQUOT'],
    ['write', 'EROFS'],
    ['write', 'EIO'],
    ['sync', 'EIO'],
    ['sync', 'ENOSPC'],
  ];
  const [skips, times] = scale === 'full' ? [12, 40] : [3, 10];
  let [whileFailing, notRecovered, unreadable] = [0, 0, 0];
  for (const [operation, code] of cases) {
    // Every write and every sync of a submission fails once, and then all of them do.
    for (let skip = 0; skip < skips; skip += 1) {
      await relay.order({ kind: 'fail', operation, code, skip, count: 1 });
      await witness.submit();
      await witness.submit();
      await relay.order({ kind: 'heal' });
    }
    await relay.order({ kind: 'fail', operation, code, skip: 0, count: 1_000_000 });
    for (let time = 0; time < times; time += 1) if (await witness.submit()) whileFailing += 1;
    unreadable += await witness.unreadable();
    await relay.order({ kind: 'heal' });
    if (!(await witness.submit())) notRecovered += 1;
  }
  const { tooEarly, writtenAfterFailedSync } = await relay.order({ kind: 'report' });
  const unfinished = await witness.unfinished();
  await relay.kill();
  const again = await RelayProcess.start(t, { journal });
  await witness.moveTo(again.url);
  const lost = await witness.unreadable();
  await witness.close();
  return [
    exactly('jobs accepted while nothing can be written', 0, whileFailing),
    ...witness.figures(),
    exactly('accepted jobs not readable meanwhile', 0, unreadable),
    exactly('kinds of failure after which nothing was accepted until a restart', 0, notRecovered),
    exactly('acknowledgements before a sync that succeeded', 0, tooEarly),
    exactly('jobs written to a file whose sync had failed', 0, writtenAfterFailedSync),
    exactly('accepted jobs that did not arrive once the disk worked', 0, unfinished),
    exactly('accepted jobs lost at a kill afterwards', 0, lost),
  ];
}

async function fileSizeLimit(t: Cleanup): Promise<readonly Figure[]> {
  const journal = await scratch(t);
  // In blocks of 512 bytes: one megabyte.
  const relay = await RelayProcess.start(t, { journal, shell: 'ulimit -S -f 2048' });
  const witness = new Witness(await Ledger.start(t), relay.url);
  const bytes = 100_000;
  while (witness.accepted.size < 100 && (await witness.submit(bytes)));
  for (let more = 0; more < 10; more += 1) await witness.submit(bytes);
  const refused = witness.refusedData.size;
  const unreadable = await witness.unreadable();
  spawnSync('prlimit', ['--pid', String(relay.pid), '--fsize=unlimited']);
  const accepted = await witness.submit(bytes);
  const unfinished = await witness.unfinished();
  await relay.kill();
  const again = await RelayProcess.start(t, { journal });
  await witness.moveTo(again.url);
  const lost = await witness.unreadable();
  await witness.close();
  return [
    atLeast('submissions refused at the limit', 10, refused),
    ...witness.figures(),
    exactly('accepted jobs not readable meanwhile', 0, unreadable),
    exactly('jobs accepted once there is room, without a restart', 1, Number(accepted)),
    exactly('accepted jobs that did not arrive then', 0, unfinished),
    exactly('accepted jobs lost at a kill afterwards', 0, lost),
  ];
}

async function fullFileSystem(t: Cleanup): Promise<readonly Figure[]> {
  const disk = join(await scratch(t), 'disk');
  await mkdir(disk);
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]);
  t.teardown(() => spawnSync('umount', ['-l', disk]));
  const journal = join(disk, 'journal');
  const relay = await RelayProcess.start(t, { journal });
  const witness = new Witness(await Ledger.start(t), relay.url);
  const bytes = 100_000;
  await witness.submit(bytes);
  await writeFile(join(disk, 'other'), Buffer.alloc(8 * 1024 * 1024)).catch(() => undefined);
  while (witness.accepted.size < 100 && (await witness.submit(bytes)));
  for (let more = 0; more < 50; more += 1) await witness.submit(bytes);
  const refused = witness.refusedData.size;
  const unreadable = await witness.unreadable();
  await rm(join(disk, 'other'));
  const begunAtMs = performance.now();
  await eventually(() => witness.submit(bytes));
  const recoveredMs = performance.now() - begunAtMs;
  const unfinished = await witness.unfinished();
  await relay.kill();
  const again = await RelayProcess.start(t, { journal });
  await witness.moveTo(again.url);
  const lost = await witness.unreadable();
  await witness.close();
  await again.kill();
  return [
    atLeast('submissions refused while the file system was full', 50, refused),
    ...witness.figures(),
    exactly('accepted jobs not readable meanwhile', 0, unreadable),
    below('from the space to the next accepted job, without a restart', 1000, recoveredMs, ' ms'),
    exactly('accepted jobs that did not arrive then', 0, unfinished),
    exactly('accepted jobs lost at a kill afterwards', 0, lost),
  ];
}

function withoutMounts(): string | undefined {
  if (process.getuid?.() !== 0) return 'mounting a small file system takes root';
  return spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0
    ? undefined
    : 'no file system can be mounted here';
}

export const disk: readonly Scenario[] = [
  {
    id: 'r06',
    name: 'while the disk fails new jobs are refused and the rest is served; then all goes on',
    run: failingCalls,
  },
  { id: 'r06', name: 'a limit on file sizes refuses new jobs until it is raised', run: fileSizeLimit },
  {
    id: 'r06',
    name: 'a full file system refuses new jobs until there is space',
    fullOnly: true,
    obstacle: withoutMounts,
    run: fullFileSystem,
  },
];
