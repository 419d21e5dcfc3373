import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openLog } from '#relay/journal/open_log.js';
import { ExportClient } from '../../helpers/export_client.js';
import { Ledger } from '../../helpers/ledger.js';
import { MemoryDisk } from '../../helpers/memory_disk.js';
import { RelayProcess } from '../../helpers/relay_process.js';
import type { Cleanup } from '../../helpers/scripted_destination.js';
import { exactly, type Figure, type Scale, type Scenario, scratch } from './scenario.js';

/** A journal as a killed relay left it: jobs that wait, one in flight, and jobs that have ended. */
interface Remains {
  readonly directory: string;
  readonly files: ReadonlyMap<string, Buffer>;
  readonly accepted: ReadonlyMap<string, string>;
  readonly ledger: Ledger;
}

async function remains(t: Cleanup): Promise<Remains> {
  const directory = await scratch(t);
  const ledger = await Ledger.start(t);
  const relay = await RelayProcess.start(t, { journal: directory });
  const client = new ExportClient(relay.url, { connections: 4 });
  const accepted = new Map<string, string>();
  const submit = async (count: number): Promise<void> => {
    for (let number = 0; number < count; number += 1) {
      const data = `{"number":${accepted.size},"text":"${'x'.repeat(50)}"}`;
      const { json } = await client.submit(ledger.url, data);
      accepted.set(json.id, data);
    }
  };
  await submit(30);
  await ledger.arrived(30);
  for (const id of accepted.keys()) await client.finished(id);
  ledger.answer = () => undefined;
  await submit(30);
  await ledger.arrived(31);
  await relay.kill();
  await client.close();
  const files = new Map<string, Buffer>();
  for (const name of await readdir(directory)) {
    if (name.endsWith('.log')) files.set(name, await readFile(join(directory, name)));
  }
  ledger.answer = (response) => response.end('ok');
  return { directory, files, accepted, ledger };
}

/** Up to where a file was written; what follows is room made ahead. */
function usedBytes(bytes: Buffer): number {
  let used = bytes.length;
  while (used > 0 && bytes[used - 1] === 0) used -= 1;
  return used;
}

interface Damage {
  readonly what: string;
  readonly name: string;
  readonly bytes: Buffer;
}

function* damages({ files }: Remains, flips: number, cutStep: number): Generator<Damage> {
  for (const [name, bytes] of files) {
    const used = usedBytes(bytes);
    for (let cut = 1; cut <= 4096; cut += cutStep) {
      yield { what: `${cut} bytes cut off`, name, bytes: bytes.subarray(0, bytes.length - cut) };
      yield { what: `${cut} bytes of what was written cut off`, name, bytes: bytes.subarray(0, used - cut) };
    }
    for (let flip = 0; flip < flips; flip += 1) {
      const offset = Math.floor(Math.random() * used);
      const copy = Buffer.from(bytes);
      copy[offset] = (copy[offset] ?? 0) ^ (1 << Math.floor(Math.random() * 8));
      yield { what: `byte ${offset} flipped`, name, bytes: copy };
    }
    for (const sector of [512, 4096]) {
      for (let offset = 0; offset < used; offset += sector) {
        const copy = Buffer.from(bytes);
        copy.fill(0, offset, offset + sector);
        yield { what: `${sector} bytes at ${offset} zeroed`, name, bytes: copy };
      }
    }
  }
}

/** What the journal makes of it: `opened` with every accepted job, `refused` by name, or what is wrong. */
async function openDamaged({ files, accepted }: Remains, { name, bytes }: Damage): Promise<string> {
  const disk = new MemoryDisk();
  for (const [file, whole] of files) disk.setBytes(file, file === name ? bytes : whole);
  let opened: Awaited<ReturnType<typeof openLog>>;
  try {
    opened = await openLog(disk.storage());
  } catch (error) {
    return `threw ${String(error)}`;
  }
  if (!opened.ok) return opened.refusal.reason === 'damaged' ? 'refused' : opened.refusal.reason;
  const jobs = new Map(opened.jobs.map((job) => [String(job.id), job]));
  for (const [id, data] of accepted) {
    const job = jobs.get(id);
    if (job === undefined) return 'lost an accepted job';
    if (job.state !== 'Finished' && job.data !== data) return 'has other data';
  }
  return 'opened';
}

async function everyDamage(whole: Remains, scale: Scale): Promise<readonly Figure[]> {
  const counts = new Map<string, number>();
  const [flips, cutStep] = scale === 'full' ? [1000, 1] : [100, 64];
  let tried = 0;
  for (const damage of damages(whole, flips, cutStep)) {
    const outcome = await openDamaged(whole, damage);
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    tried += 1;
  }
  const good = (counts.get('opened') ?? 0) + (counts.get('refused') ?? 0);
  const others = [...counts].filter(([outcome]) => outcome !== 'opened' && outcome !== 'refused');
  return [
    exactly(
      `damaged journals opened with every accepted job (${counts.get('opened') ?? 0}) or refused by name (${counts.get('refused') ?? 0})`,
      tried,
      good,
    ),
    exactly(`other outcomes${others.map(([outcome]) => ` (${outcome})`).join('')}`, 0, tried - good),
  ];
}

interface Started {
  readonly outcome: 'started' | 'refused' | 'other';
  readonly detail: string;
}

/** What the program makes of it. */
async function startDamaged(t: Cleanup, whole: Remains, { name, bytes }: Damage): Promise<Started> {
  const directory = join(await scratch(t), 'journal');
  await mkdir(directory, { mode: 0o700 });
  for (const file of whole.files.keys()) await copyFile(join(whole.directory, file), join(directory, file));
  await writeFile(join(directory, name), bytes);
  const relay = RelayProcess.spawn(t, { journal: directory });
  const listens = await relay.printed(/^admin listening/m).then(
    () => true,
    () => false,
  );
  if (!listens) {
    const { status, signal, stderr } = await relay.exited();
    const named = /^export-relay serve: cannot start: The journal in .* is damaged: /.test(stderr);
    return { outcome: status === 1 && signal === null && named ? 'refused' : 'other', detail: stderr };
  }
  const client = new ExportClient(relay.url);
  let unreadable = 0;
  for (const id of whole.accepted.keys()) {
    const { status, json } = await client.finished(id);
    if (status !== 200 || json.state !== 'Finished') unreadable += 1;
  }
  await client.close();
  const { status, signal, stderr } = await relay.stop();
  const good = unreadable === 0 && status === 0 && signal === null;
  return { outcome: good ? 'started' : 'other', detail: `${unreadable} unreadable ${stderr}` };
}

async function startOnDamage(t: Cleanup, whole: Remains, scale: Scale): Promise<readonly Figure[]> {
  const all = [...damages(whole, 200, 16)];
  const tries = scale === 'full' ? 100 : 2;
  const outcomes: Started[] = [];
  for (let count = 0; count < tries; count += 1) {
    const damage = all[Math.floor(Math.random() * all.length)];
    if (damage !== undefined) outcomes.push(await startDamaged(t, whole, damage));
  }
  const others = outcomes.filter(({ outcome }) => outcome === 'other');
  const refused = outcomes.filter(({ outcome }) => outcome === 'refused').length;
  const foreign = [...whole.ledger.deliveries.keys()].filter((id) => !whole.accepted.has(id)).length;
  return [
    exactly(
      `starts on a damaged journal that read every accepted job or refused by name with status 1 (${refused})${others.map(({ detail }) => ` ${detail}`).join('')}`,
      tries,
      tries - others.length,
    ),
    exactly(
      'arrivals with other data or of no accepted job',
      0,
      foreign + whole.ledger.wrong(whole.accepted),
    ),
  ];
}

async function damaged(t: Cleanup, scale: Scale): Promise<readonly Figure[]> {
  const whole = await remains(t);
  return [...(await everyDamage(whole, scale)), ...(await startOnDamage(t, whole, scale))];
}

export const damage: readonly Scenario[] = [
  { id: 'r05', name: 'a cut, flipped or zeroed journal is read whole or refused by name', run: damaged },
];
