import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ExportClient } from '../../helpers/export_client.js';
import { Ledger } from '../../helpers/ledger.js';
import { RelayProcess } from '../../helpers/relay_process.js';
import type { Cleanup } from '../../helpers/scripted_destination.js';
import { atLeast, exactly, type Figure, type Scale, type Scenario, scratch } from './scenario.js';

async function submitAll(relay: RelayProcess, uri: string, accepts: number): Promise<readonly string[]> {
  const client = new ExportClient(relay.url);
  const ids: string[] = [];
  let sent = 0;
  const submit = async (): Promise<void> => {
    while (sent < accepts) {
      sent += 1;
      const { status, json } = await client.submit(uri, '{"order":true}');
      if (status === 200) ids.push(json.id);
    }
  };
  await Promise.all(Array.from({ length: 8 }, submit));
  await client.close();
  return ids;
}

/** As the program itself sees it: the sync has returned when the answer is handed to the connection. */
async function orderInside(t: Cleanup, scale: Scale): Promise<readonly Figure[]> {
  const relay = await RelayProcess.start(t, { journal: await scratch(t), interposed: true });
  const ledger = await Ledger.start(t);
  const accepts = scale === 'full' ? 1000 : 200;
  await submitAll(relay, ledger.url, accepts);
  const { replies, tooEarly } = await relay.order({ kind: 'report' });
  return [
    exactly('submissions answered with 200', accepts, replies),
    exactly('of these, answered before the sync of their job had returned', 0, tooEarly),
  ];
}

/** As the kernel sees it. */
async function orderOfCalls(t: Cleanup): Promise<readonly Figure[]> {
  const directory = await scratch(t);
  const relay = await RelayProcess.start(t, { journal: join(directory, 'journal') });
  const ledger = await Ledger.start(t);
  const trace = join(directory, 'trace');
  const calls = 'trace=pwrite64,fdatasync,fsync,write,writev';
  const strace = spawn(
    'strace',
    ['-f', '-xx', '-s', '65536', '-e', calls, '-o', trace, '-p', String(relay.pid)],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  // It says so once it has attached.
  await once(strace.stderr, 'data');
  const accepts = 1000;
  const ids = await submitAll(relay, ledger.url, accepts);
  strace.kill('SIGINT');
  await once(strace, 'exit');
  const order = new CallOrder();
  for (const line of (await readFile(trace, 'latin1')).split('\n')) order.read(line);
  const proved = ids.filter((id) => order.inOrder.has(id.replaceAll('-', ''))).length;
  return [
    atLeast(`submissions answered with 200`, accepts, ids.length),
    exactly('of these, write → fsync returned → answer written', accepts, proved),
  ];
}

const hexOf = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

/** Reads the lines of strace: which jobs were written, synced and answered in this order. */
class CallOrder {
  readonly inOrder = new Set<string>();
  readonly #begun = new Map<string, string>();
  readonly #unsynced = new Map<string, Set<string>>();
  readonly #syncing = new Map<string, ReadonlySet<string>>();
  readonly #durable = new Set<string>();

  read(line: string): void {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    if (resumed !== null) {
      this.#end(thread, this.#begun.get(thread) ?? '', resumed[1] ?? '');
      this.#begun.delete(thread);
      return;
    }
    const unfinished = /^(.*) <unfinished \.\.\.>$/.exec(rest);
    const call = unfinished?.[1] ?? rest;
    this.#begin(thread, call);
    if (unfinished === null) this.#end(thread, call, call);
    else this.#begun.set(thread, call);
  }

  #begin(thread: string, call: string): void {
    const sync = /^f(?:data)?sync\((\d+)/.exec(call);
    if (sync !== null) {
      // Only what was written before it began is covered by a sync.
      this.#syncing.set(thread, new Set(this.#unsynced.get(sync[1] ?? '')));
      return;
    }
    if (!/^writev?\(/.test(call)) return;
    const hex = call.replaceAll('\\x', '');
    for (const [, id = ''] of hex.matchAll(new RegExp(`${hexOf('"id":"')}((?:[0-9a-f]{2}){36})`, 'g'))) {
      const text = Buffer.from(id, 'hex').toString('latin1').replaceAll('-', '');
      if (hex.includes(hexOf('"state":"Pending"')) && this.#durable.has(text)) this.inOrder.add(text);
    }
  }

  #end(thread: string, call: string, end: string): void {
    if (!/= \d+$/.test(end)) return;
    if (/^f(?:data)?sync\(/.test(call)) {
      for (const id of this.#syncing.get(thread) ?? []) this.#durable.add(id);
      return;
    }
    const [, file = ''] = /^pwrite64\((\d+)/.exec(call) ?? [];
    if (file === '') return;
    const written = this.#unsynced.get(file) ?? new Set();
    this.#unsynced.set(file, written);
    const hex = call.replaceAll('\\x', '');
    // The head of a frame with the data of a job: its magic, its kind, two numbers, the id.
    for (const [, id = ''] of hex.matchAll(/58524a4601000000[0-9a-f]{16}([0-9a-f]{32})/g)) written.add(id);
  }
}

function withoutStrace(): string | undefined {
  return spawnSync('strace', ['-V']).status === 0 ? undefined : 'strace is not installed';
}

export const order: readonly Scenario[] = [
  { id: 'r03', name: 'a job is acknowledged only after it is on disk', run: orderInside },
  {
    id: 'r03',
    name: 'the kernel sees fsync return before the answer',
    fullOnly: true,
    obstacle: withoutStrace,
    run: orderOfCalls,
  },
];
