import type { Storage, StorageFile } from '../journal/storage.js';
import { type Head, linesPerCheckpoint } from './composer.js';
import type { FoundFile } from './files.js';
import type { PublicKey } from './keys.js';
import { type Line, noHash, openLine, sha256Hex } from './line.js';
import { Verifier } from './verify.js';

/** What a start finds of a record. */
export interface Recovered {
  readonly head: Head;
  readonly recordId: string | undefined;
  /** Of the file that is, or will be, written to. */
  readonly number: number;
  readonly active: FoundFile | undefined;
  /** Jobs of which a departure is on record and no end. */
  readonly open: ReadonlyMap<string, OpenDeparture>;
  /** What stood at the end and is no line. */
  readonly torn: Torn | undefined;
  /** Whether the last run ended in order; `undefined` if there was none. */
  readonly stopped: boolean | undefined;
}

export interface OpenDeparture {
  readonly line: number;
  readonly sha256: string | undefined;
}

interface Torn {
  readonly bytes: number;
  readonly sha256: string;
  readonly text: string;
}

export type Recovery =
  | { readonly ok: true; readonly recovered: Recovered }
  /** A clause about the record. */
  | { readonly ok: false; readonly why: string };

/** The most that one write puts at the end, so the most that a write can leave unfinished there. */
const maxWriteBytes = 8 * 1024 * 1024;
const maxTornText = 500;

/** Numbers of the files FILE.1, FILE.2, …, ascending. */
export function fileNumbers(names: readonly string[], name: string): readonly number[] {
  return names
    .filter((other) => other.startsWith(`${name}.`))
    .map((other) => other.slice(name.length + 1))
    .filter((suffix) => /^[1-9]\d{0,8}$/.test(suffix))
    .map(Number)
    .sort((a, b) => a - b);
}

/** Reads the newest file of a record, and changes nothing. Rejects if the storage fails. */
export async function recover(storage: Storage, name: string, key: PublicKey): Promise<Recovery> {
  const names = await storage.list();
  const newest = fileNumbers(names, name).at(-1);
  const current = names.includes(name) ? await storage.open(name) : undefined;
  const bytes = (await current?.read()) ?? Buffer.alloc(0);
  // Stopped while it was begun: what is there of it was relied on by nobody.
  const begun = bytes.includes(0x0a) || newest === undefined ? current : undefined;
  if (begun !== undefined) {
    const walked = walk(bytes, name, key);
    if (walked.ok && newest !== undefined && walked.file <= newest) {
      await begun.close();
      return { ok: false, why: `${name} is its file ${walked.file}, and there is a ${name}.${newest}` };
    }
    if (!walked.ok || walked.end === 0) await begun.close();
    if (!walked.ok) return walked;
    const active = walked.end === 0 ? undefined : foundFile(begun, bytes, walked);
    return { ok: true, recovered: { ...walked, number: walked.file, active } };
  }
  await current?.close();
  if (newest === undefined) return { ok: true, recovered: nothing };
  const last = await storage.open(`${name}.${newest}`);
  const walked = walk(await last.read(), `${name}.${newest}`, key);
  await last.close();
  if (!walked.ok) return walked;
  if (walked.torn !== undefined) return { ok: false, why: `the last line of ${name}.${newest} is torn` };
  const torn = bytes.length === 0 ? undefined : tornOf(bytes);
  return { ok: true, recovered: { ...walked, torn, number: newest + 1, active: undefined } };
}

/** What the last write of a run that did not end in order has put there may not have reached the disk. */
function foundFile(file: StorageFile, bytes: Buffer, { end, torn, stopped }: Walked): FoundFile {
  const unsure = stopped === true ? undefined : bytes.subarray(Math.max(0, end - maxWriteBytes), end);
  return { file, end, dirty: torn !== undefined, unsure };
}

const nothing: Recovered = {
  head: { seq: 0, hash: noHash, unsigned: 0 },
  recordId: undefined,
  number: 1,
  active: undefined,
  open: new Map(),
  torn: undefined,
  stopped: undefined,
};

interface Walked extends Omit<Recovered, 'number' | 'active'> {
  readonly ok: true;
  readonly file: number;
  /** Where the intact lines end. */
  readonly end: number;
}

/** Checks all lines of a file, and what it says of departures. */
function walk(
  bytes: Buffer,
  name: string,
  key: PublicKey,
): Walked | { readonly ok: false; readonly why: string } {
  const verifier = new Verifier({ key, partial: true });
  const open = new Map<string, OpenDeparture>();
  let begin: Line | undefined;
  let last: Line | undefined;
  // How many lines of the file before it have no checkpoint is not known; there is one after the next line then.
  let unsigned = linesPerCheckpoint - 1;
  let signed = false;
  let stopped = false;
  let start = 0;
  for (let number = 1; start < bytes.length; number += 1) {
    const end = bytes.indexOf(0x0a, start);
    const line = end === -1 ? undefined : openLine(bytes.subarray(start, end));
    if (line === undefined) break;
    verifier.addLine(line, { file: name, line: number });
    begin ??= line;
    last = line;
    signed ||= line.kind === 'checkpoint';
    if (signed) unsigned = line.kind === 'checkpoint' ? 0 : unsigned + 1;
    if (line.kind !== 'checkpoint') stopped = line.kind === 'stop';
    track(open, line);
    start = end + 1;
  }
  const [finding] = verifier.end().findings;
  // Where nothing is intact, only what stands there tells.
  if (last !== undefined && finding !== undefined) {
    return { ok: false, why: `${finding.place.file}:${finding.place.line}: ${finding.detail}` };
  }
  const rest = bytes.subarray(start);
  if (!mayBeTorn(rest)) return { ok: false, why: `a line of ${name} was changed or damaged` };
  const recordId = begin?.members['record'];
  const file = begin?.members['file'];
  if (begin !== undefined && (begin.kind !== 'begin' || begin.members['format'] !== 1)) {
    return { ok: false, why: `${name} does not begin as a file of a record of this version does` };
  }
  return {
    ok: true,
    head: { seq: last?.seq ?? 0, hash: last?.hash ?? noHash, unsigned: last === undefined ? 0 : unsigned },
    recordId: typeof recordId === 'string' ? recordId : undefined,
    file: typeof file === 'number' ? file : 1,
    end: start,
    open,
    torn: rest.length === 0 ? undefined : tornOf(rest),
    stopped: last === undefined ? undefined : stopped,
  };
}

/**
 * Whether a write that was broken off may have left this at the end. Where an intact line follows, it was not: then
 * somebody or something has changed what was on record, and cutting it off would destroy the traces.
 */
function mayBeTorn(rest: Buffer): boolean {
  if (rest.length > maxWriteBytes) return false;
  for (let start = 0; start < rest.length;) {
    const end = rest.indexOf(0x0a, start);
    if (end === -1) return true;
    if (openLine(rest.subarray(start, end)) !== undefined) return false;
    start = end + 1;
  }
  return true;
}

function tornOf(rest: Buffer): Torn {
  const text = rest.toString('utf8', 0, maxTornText);
  return { bytes: rest.length, sha256: sha256Hex(rest), text };
}

function track(open: Map<string, OpenDeparture>, { kind, seq, members }: Line): void {
  const { job, jobs, sha256 } = members;
  switch (kind) {
    case 'leaving':
      if (typeof job === 'string') open.set(job, { line: seq, sha256: text(sha256) });
      break;
    case 'export':
    case 'unfinished':
      if (typeof job === 'string') open.delete(job);
      break;
    case 'carried':
      for (const one of Array.isArray(jobs) ? (jobs as readonly unknown[]) : []) carry(open, one);
      break;
  }
}

function carry(open: Map<string, OpenDeparture>, carried: unknown): void {
  if (typeof carried !== 'object' || carried === null) return;
  if (!('job' in carried && 'line' in carried && 'sha256' in carried)) return;
  const { job, line, sha256 } = carried;
  if (typeof job === 'string' && typeof line === 'number') open.set(job, { line, sha256: text(sha256) });
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
