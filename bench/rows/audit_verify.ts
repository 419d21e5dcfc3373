import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { compose, type Head } from '#relay/audit/composer.js';
import { loadSigningKey } from '#relay/audit/keys.js';
import { noHash } from '#relay/audit/line.js';
import { type Row, ratios } from '../harness/row.js';

const manyLines = 1_000_000;
const fewLines = 50_000;
const linesPerPiece = 5000;

/** A record of about so many lines, as a relay writes it. */
async function writeRecord(path: string, lines: number): Promise<void> {
  const loaded = await loadSigningKey(path);
  if (!loaded.ok) throw new Error(loaded.detail);
  const { sign, publicKey } = loaded.key;
  const file = createWriteStream(path);
  let head: Head = { seq: 0, hash: noHash, unsigned: 0 };
  const begin = { format: 1, record: 'bench', file: 1, key: publicKey.fingerprint };
  while (head.seq < lines) {
    const count = Math.min(linesPerPiece, lines - head.seq);
    const entries = Array.from({ length: count }, (_none, at) =>
      head.seq + at === 0
        ? { kind: 'begin', timeMs: 0, members: begin }
        : { kind: 'start', timeMs: at, members: { version: 'x'.repeat(300), after: 'stop' } },
    );
    const composed = compose(head, entries, { sign, nowMs: 0, checkpoint: true });
    ({ head } = composed);
    if (!file.write(composed.text)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
}

/** Runs `audit verify`: how long it took, and the most memory it had meanwhile, in MB. */
async function verify(path: string): Promise<{ readonly seconds: number; readonly rssMb: number }> {
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, ['dist/main.js', 'audit', 'verify', path], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  let rssMb = 0;
  for (let running = true; running;) {
    running = await Promise.race([delay(50, true), exited.then(() => false)]);
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
    rssMb = Math.max(rssMb, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024);
  }
  if (child.exitCode !== 0) throw new Error(`audit verify ended with ${String(child.exitCode)}`);
  return { seconds: (performance.now() - startedAtMs) / 1000, rssMb };
}

export const auditVerify: Row = {
  name: 'audit-verify',
  what: `audit verify of ${manyLines} lines, against ${fewLines}`,
  async measure({ rounds, scale }) {
    const directory = await mkdtemp(join(tmpdir(), 'relay-bench-'));
    const [many, few] = [join(directory, 'many'), join(directory, 'few')];
    await writeRecord(many, Math.round(manyLines * scale));
    await writeRecord(few, fewLines);
    const seconds: number[] = [];
    const [manyMb, fewMb]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      const verified = await verify(many);
      seconds.push(verified.seconds);
      manyMb.push(verified.rssMb);
      fewMb.push((await verify(few)).rssMb);
    }
    await rm(directory, { recursive: true });
    return [
      { what: 'takes', unit: 's', relay: seconds, compared: seconds },
      {
        what: 'memory at most',
        unit: 'MB',
        relay: manyMb,
        yardstick: fewMb,
        compared: ratios(manyMb, fewMb),
        bar: { kind: 'under', value: 1.3, unit: '×' },
      },
    ];
  },
};
