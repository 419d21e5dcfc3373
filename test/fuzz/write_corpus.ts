/**
 * `node build/test/fuzz/write_corpus.js`: writes the journals and the record that are mutated. They stay as they are once
 * written: journals of an older version have to be read by every later one.
 */
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { signingKey } from '#relay/audit/keys.js';
import { AuditRecord } from '#relay/audit/record.js';
import { recover } from '#relay/audit/recover.js';
import { arrived, departing } from '../helpers/audit.js';
import { FakeClock } from '../helpers/fake_clock.js';
import { MemoryDisk } from '../helpers/memory_disk.js';
import { openOn, put } from '../helpers/open_logs.js';
import { begun, ended, pending } from '../helpers/stored_jobs.js';

/** Without most of the zeros that a journal puts at its end ahead of time. */
function withoutRoom(bytes: Buffer): Buffer {
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
  return bytes.subarray(0, end + 600);
}

function writeAll(folder: string, disk: MemoryDisk): void {
  mkdirSync(`test/fixtures/fuzz/${folder}`, { recursive: true });
  for (const name of disk.names.keys()) {
    writeFileSync(`test/fixtures/fuzz/${folder}/${name}`, withoutRoom(disk.bytes(name)));
  }
}

/**
 * Jobs in all states in some small files. The last commit changes a job: of one that brings a job, nothing is left where
 * both it and the marker behind it are lost, as if it had broken off, and no journal can tell.
 */
async function writeJournal(folder: string, end: 'close' | 'kill'): Promise<void> {
  const disk = new MemoryDisk();
  const { log } = await openOn(disk, { segmentBytes: 7000 });
  for (let count = 0; count < 8; count += 1) {
    const job = pending(`data ${count} `.repeat(10));
    await put(log, job);
    if (count % 4 > 0) await put(log, begun(job));
    if (count % 4 > 1) await put(log, ended(begun(job), `answer ${count}`));
    if (count % 4 > 2) await log.write(job.id, 'removed');
  }
  const last = pending();
  await put(log, last);
  await put(log, begun(last));
  if (end === 'kill') disk.kill();
  else await log.close();
  writeAll(folder, disk);
}

/** Of a run that was stopped, so that there is a checkpoint, and one that was killed. */
async function writeRecord(folder: string): Promise<void> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const key = signingKey(privateKey, false);
  const disk = new MemoryDisk();
  for (const end of ['close', 'kill']) {
    const own = { clock: new FakeClock(), storage: disk.storage(), name: 'audit.log', maxFileBytes: 5000 };
    const recovery = await recover(own.storage, own.name, key.publicKey);
    if (!recovery.ok) throw new Error(recovery.why);
    const others = {
      key,
      version: '0',
      onOutage: () => undefined,
      onWrite: () => undefined,
    };
    const record = new AuditRecord({ ...own, ...others }, recovery.recovered);
    for (let count = 0; count < 5; count += 1) {
      const job = departing({ purpose: `purpose ${count}` });
      await record.leaving(job);
      await record.ended(arrived(job));
    }
    if (end === 'close') await record.close();
  }
  disk.kill();
  writeAll(folder, disk);
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  writeFileSync(`test/fixtures/fuzz/${folder}/key.pem`, pem);
}

await writeJournal('journal/closed', 'close');
await writeJournal('journal/killed', 'kill');
await writeRecord('audit');
