import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { signingKey } from '#relay/audit/keys.js';
import { type Line, noHash, sealLine } from '#relay/audit/line.js';
import { AuditRecord } from '#relay/audit/record.js';
import { recover, type Recovered } from '#relay/audit/recover.js';
import { type Report, Verifier } from '#relay/audit/verify.js';
import { departing, hashOf } from '../helpers/audit.js';
import { FakeClock } from '../helpers/fake_clock.js';
import type { MemoryDisk } from '../helpers/memory_disk.js';
import { type Files, decodeChange, diskWith, encodeChange, filesOf, holds } from './disk_files.js';
import { attempted, must, type Run, type Target } from './target.js';

const folder = 'audit';
const name = 'audit.log';

function readKey(): ReturnType<typeof signingKey> {
  return signingKey(createPrivateKey(readFileSync(`test/fixtures/fuzz/${folder}/key.pem`)), false);
}

/** Oldest first: FILE.1, FILE.2 and so on, then FILE. */
function inOrder(files: Files): Files {
  const numbers = new Map(
    [...files.keys()].map((file) => [file, Number(file.slice(name.length + 1)) || Infinity]),
  );
  return new Map([...files].sort(([a], [b]) => (numbers.get(a) ?? 0) - (numbers.get(b) ?? 0)));
}

function filesOn(disk: MemoryDisk): Files {
  return inOrder(new Map([...disk.names.keys()].map((file) => [file, disk.bytes(file)])));
}

function linesOf(bytes: Buffer): { readonly lines: readonly Buffer[]; readonly torn: Buffer } {
  const lines: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return { lines, torn: bytes.subarray(start) };
}

function wholeLines(files: Files): readonly string[] {
  return [...files.values()].flatMap((bytes) => linesOf(bytes).lines).map(String);
}

type Verify = (files: Files, head?: string) => Report;

function verifierWith(key: ReturnType<typeof readKey>): Verify {
  return (files, head) => {
    const verifier = new Verifier({ key: key.publicKey, head });
    for (const [file, bytes] of files) {
      const { lines, torn } = linesOf(bytes);
      lines.forEach((line, at) => verifier.add(line, { file, line: at + 1 }));
      if (torn.length > 0) verifier.addTorn(torn.length, { file, line: lines.length + 1 });
    }
    return verifier.end();
  };
}

/** What `sealLine` writes itself. */
const sealed = ['seq', 'time', 'kind', 'prev', 'sig', 'hash'];

/** A line with the hash of its content, linked to another before it; what is no line stays what it is. */
function forgeLine(line: string, prev: string): { readonly text: string; readonly hash: string } | undefined {
  const members: unknown = attempted((): unknown => JSON.parse(line));
  if (typeof members !== 'object' || members === null) return undefined;
  const { seq, time, kind, sig } = members as Line & { readonly sig?: unknown };
  const others = Object.entries(members).filter(([member]) => !sealed.includes(member));
  const sign = typeof sig === 'string' ? () => Buffer.from(sig, 'base64') : undefined;
  return sealLine({ seq, time, kind, prev }, Object.fromEntries(others), sign);
}

/** Makes all hashes of a record fit, as somebody does who lacks only the key. */
function forgeAll(files: Files): Files {
  let prev = noHash;
  const forged = new Map<string, Buffer>();
  for (const [file, bytes] of files) {
    const { lines, torn } = linesOf(bytes);
    const texts = lines.map((line) => {
      const again = forgeLine(line.toString(), prev);
      prev = again?.hash ?? prev;
      return again?.text ?? `${line.toString()}\n`;
    });
    forged.set(file, Buffer.concat([Buffer.from(texts.join('')), torn]));
  }
  return forged;
}

async function goOn(disk: MemoryDisk, key: ReturnType<typeof readKey>, recovered: Recovered): Promise<void> {
  const own = { clock: new FakeClock(), key, storage: disk.storage(), name, version: '0' };
  // The storage of before is of another process: it is closed.
  const again = await recover(own.storage, name, key.publicKey);
  if (!again.ok) throw new Error('a start finds something else than the one before');
  must(again.recovered.head.hash === recovered.head.hash, 'a start finds another head than the one before');
  const record = new AuditRecord(
    { ...own, maxFileBytes: 1 << 20, onOutage: () => undefined, onWrite: () => undefined },
    again.recovered,
  );
  await record.leaving(departing());
  await record.close();
}

class Oracle {
  readonly #key = readKey();
  readonly #verify = verifierWith(this.#key);
  readonly files = inOrder(filesOf(folder, /^audit\.log/));
  readonly #text = Buffer.concat([...this.files.values()]);
  readonly #original = new Set(linesOf(this.#text).lines.map(String));
  readonly #head = hashOf(linesOf(this.#text).lines.at(-1)?.toString() ?? '');

  /** Nothing but a cut tail goes unnoticed without the head, and nothing at all with it. */
  judgeVerification(files: Files, forged: boolean): void {
    const text = Buffer.concat([...files.values()]);
    const report = this.#verify(files, this.#head);
    const isExtended = forged && isPrefix(this.#text, text);
    must(
      report.ok === text.equals(this.#text) || isExtended,
      'a change is not noticed, though the head is known',
    );
    const { ok, checkpoint } = this.#verify(files);
    if (!ok) return;
    if (!forged) must(isPrefix(text, this.#text) && text.at(-1) === 0x0a, 'a change is not noticed');
    const covered = linesOf(text).lines.slice(0, checkpoint?.seq ?? 0);
    const original = linesOf(this.#text).lines;
    must(
      covered.every((line, at) => original[at]?.equals(line) === true),
      'a covered line was changed unnoticed',
    );
  }

  #isKept(before: Files, after: Files): boolean {
    const kept = new Set(wholeLines(after));
    return wholeLines(before).every((line) => kept.has(line) || !this.#original.has(line));
  }

  /** A start refuses and changes nothing, or goes on with a record that is whole if it was but for its end. */
  async judgeRecovery(files: Files, isNewest: boolean, forged: boolean): Promise<void> {
    const disk = diskWith(files);
    const recovery = await recover(disk.storage(), name, this.#key.publicKey);
    must(holds(disk, files), 'reading a record has changed it');
    if (!recovery.ok) {
      must(recovery.why.includes(name), 'the refusal names no file');
      return;
    }
    await goOn(disk, this.#key, recovery.recovered);
    if (forged) return;
    const after = filesOn(disk);
    must(this.#isKept(files, after), 'a start has destroyed lines that were intact');
    const { ok } = this.#verify(after);
    if (isNewest) must(ok, 'what a start goes on with is not whole');
    else must(ok === this.#verify(files).ok, 'a start has covered up a change');
  }
}

function isPrefix(start: Buffer, whole: Buffer): boolean {
  return whole.subarray(0, start.length).equals(start);
}

function open(): Run {
  const oracle = new Oracle();
  const names = [...oracle.files.keys()];
  return async (input) => {
    const { index, bytes, forged } = decodeChange(input, names.length);
    const file = names[index] ?? name;
    const changed = inOrder(new Map(oracle.files).set(file, bytes));
    const files = forged ? forgeAll(changed) : changed;
    oracle.judgeVerification(files, forged);
    await oracle.judgeRecovery(files, file === names.at(-1), forged);
  };
}

/** Files of an audit record, as a disk or somebody has changed them. */
export const audit: Target = {
  name: 'audit',
  maxBytes: 100_000,
  dictionary: [
    ...[
      '\n',
      '{}',
      '{"seq":',
      '"kind":"',
      '"export"',
      '"checkpoint"',
      '"begin"',
      '"stop"',
      '"leaving"',
      '"carried"',
    ],
    ...[
      '"prev":"',
      '"hash":"',
      '"sig":"',
      '"job":',
      '"jobs":[{"job":"x","line":1,"sha256":null}]',
      '"format":2',
    ],
    ...['"file":', '"key":"', '"__proto__":{}', '\r\n', '\0', '1e300', '-1', 'null'],
  ],
  corpus: () => {
    const files = [...new Oracle().files.values()];
    return files.flatMap((bytes, index) => [
      encodeChange(index, bytes, false),
      encodeChange(index, bytes, true),
    ]);
  },
  open,
};
