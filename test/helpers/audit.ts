import { generateKeyPairSync } from 'node:crypto';
import { compose, type Head } from '#relay/audit/composer.js';
import { type SigningKey, signingKey } from '#relay/audit/keys.js';
import { type Line, noHash, openLine, sealLine } from '#relay/audit/line.js';
import type { RecordWrite } from '#relay/audit/log.js';
import { AuditRecord, type JobsBroughtBack, type RecordOptions } from '#relay/audit/record.js';
import { recover } from '#relay/audit/recover.js';
import { type Report, Verifier, type VerifierOptions } from '#relay/audit/verify.js';
import { type Job, type NewJob, createJob, finish, newJobId, startAttempt } from '#relay/job/job.js';
import { FakeClock } from './fake_clock.js';
import { answered, newJob } from './jobs.js';
import type { MemoryDisk } from './memory_disk.js';

/** Signs every record of the tests. */
export const key: SigningKey = signingKey(generateKeyPairSync('ed25519').privateKey, false);

const name = 'audit.log';

export interface RecordOnDisk {
  readonly record: AuditRecord;
  readonly clock: FakeClock;
  /** What it told of outages. */
  readonly outages: (string | undefined)[];
  /** What it told of its tries to write. */
  readonly writes: RecordWrite[];
}

/** A record that must open, on a disk in memory. */
export async function openRecord(
  disk: MemoryDisk,
  options: Partial<RecordOptions> & { readonly broughtBack?: JobsBroughtBack } = {},
): Promise<RecordOnDisk> {
  const clock = new FakeClock();
  const storage = disk.storage();
  const outages: (string | undefined)[] = [];
  const writes: RecordWrite[] = [];
  const recovery = await recover(storage, name, key.publicKey);
  if (!recovery.ok) throw new Error(recovery.why);
  const record = new AuditRecord(
    {
      clock,
      key,
      storage,
      name,
      maxFileBytes: 1 << 20,
      version: '0',
      onOutage: (code) => outages.push(code),
      onWrite: (write) => writes.push(write),
      ...options,
    },
    recovery.recovered,
    options.broughtBack,
  );
  return { record, clock, outages, writes };
}

/** What a record told of its tries to write: whether any failed, and how many lines and bytes are written. */
export function told(writes: readonly RecordWrite[]): readonly [boolean, number, number] {
  const done = writes.flatMap((write) => (write.ok ? [write] : []));
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return [
    done.length < writes.length,
    sum(done.map(({ lines }) => lines)),
    sum(done.map(({ bytes }) => bytes)),
  ];
}

/** A job whose first attempt begins. */
export function departing(overrides: Partial<NewJob> = {}): Job {
  return startAttempt(createJob(newJobId(), newJob(overrides), 0), 0);
}

/** The same job, answered. */
export function arrived(job: Job, statusCode = 200): Job {
  const outcome = answered(statusCode);
  if (outcome.kind !== 'answered') throw new Error('no answer');
  return finish(job, { kind: 'answered', answer: outcome.answer }, 0);
}

/** All of a record on a disk, in order. */
export function recordText(disk: MemoryDisk): string {
  const numbered = [...disk.names.keys()].filter((file) => /^audit\.log\.\d+$/.test(file));
  numbered.sort((a, b) => Number(a.slice(10)) - Number(b.slice(10)));
  return [...numbered, ...(disk.names.has(name) ? [name] : [])]
    .map((file) => disk.bytes(file).toString())
    .join('');
}

/** The lines of a record that are whole. */
export function linesOf(text: string): readonly Line[] {
  return split(text).lines.flatMap((line) => openLine(Buffer.from(line)) ?? []);
}

export function kindsOf(text: string): readonly string[] {
  return linesOf(text).map(({ kind }) => kind);
}

/** What the verifier says of a text as one file. */
export function verifyText(text: string, options: Partial<VerifierOptions> = {}): Report {
  const verifier = new Verifier({ key: key.publicKey, ...options });
  const { lines, torn } = split(text);
  lines.forEach((line, at) => verifier.add(Buffer.from(line), { file: 'r', line: at + 1 }));
  if (torn !== '') verifier.addTorn(torn.length, { file: 'r', line: lines.length + 1 });
  return verifier.end();
}

/** Problems as `problem line`, such as `changed 7`. */
export function problems(report: Report): readonly string[] {
  return report.findings.map(({ problem, seq }) => `${problem} ${seq ?? '?'}`);
}

function split(text: string): { readonly lines: readonly string[]; readonly torn: string } {
  const parts = text.split('\n');
  return { lines: parts.slice(0, -1), torn: parts.at(-1) ?? '' };
}

/** A record of so many entries, without line feeds; it ends with a checkpoint. */
export function sampleRecord(entries: number): readonly string[] {
  const from: Head = { seq: 0, hash: noHash, unsigned: 0 };
  const composed = compose(
    from,
    Array.from({ length: entries }, (_none, at) =>
      at === 0
        ? { kind: 'begin', timeMs: 0, members: { format: 1, file: 1, key: key.publicKey.fingerprint } }
        : { kind: 'export', timeMs: at, members: { bytes: at, purpose: `purpose ${at}` } },
    ),
    { sign: key.sign, nowMs: entries, checkpoint: true },
  );
  return split(composed.text).lines;
}

export function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

/** A line with other content and a hash that fits, as somebody without the key can write it. */
export function forge(line: string, change: Readonly<Record<string, unknown>> = {}, prev?: string): string {
  const { seq, time, kind, prev: before, ...members } = JSON.parse(line) as Line & object;
  const content = { ...members, hash: undefined, ...change };
  const sealed = sealLine({ seq, time, kind, prev: prev ?? before }, content);
  return sealed.text.slice(0, -1);
}

export function hashOf(line: string): string {
  return (JSON.parse(line) as Line).hash;
}
