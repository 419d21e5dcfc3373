import { isReadable, type Schema } from './record.js';
import type { Segment } from './segment.js';
import {
  decodeMarker,
  decodeSegmentHeader,
  framesOffset,
  type SegmentHeader,
  segmentVersion,
} from './segment_header.js';
import type { Storage, StorageFile } from './storage.js';

/** Why a journal is not opened. */
export interface Refusal {
  readonly reason: 'damaged' | 'other_version';
  /** What was found where; a clause. */
  readonly why: string;
}

/** The segments of a journal, oldest first, none missing. */
export interface Chain {
  readonly segments: readonly Segment[];
  /** Of the newest: the first segment that is still needed. */
  readonly oldest: number;
  readonly journalId: string | undefined;
  /** Files that a stop left behind and nothing needs. */
  readonly leftovers: readonly string[];
}

export type OpenedChain =
  | { readonly ok: true; readonly chain: Chain }
  | { readonly ok: false; readonly refusal: Refusal };

/** Ends the names of files that are not part of the journal yet. */
export const unfinishedSuffix = '.tmp';

export function segmentName(number: number): string {
  return `jobs-${String(number).padStart(8, '0')}.log`;
}

/** Where damage was found; a clause. */
export function damagedAt(number: number, offset: number): string {
  return `${segmentName(number)} is damaged or cut at byte ${offset}`;
}

const segmentPattern = /^jobs-(\d{8,10})\.log$/;

interface Found {
  readonly name: string;
  readonly file: StorageFile;
  readonly version: number;
  readonly header: SegmentHeader;
  readonly page: Buffer;
}

/** Opens all segments and checks that they are one journal, of a version that can be read, without a gap. */
export async function openChain(storage: Storage, schema: Schema): Promise<OpenedChain> {
  const files: StorageFile[] = [];
  let opened: OpenedChain | undefined;
  try {
    opened = await openAll(storage, schema, files);
    return opened;
  } finally {
    const used = new Set(opened?.ok === true ? opened.chain.segments.map(({ file }) => file) : []);
    for (const file of files) if (!used.has(file)) await file.close();
  }
}

async function openAll(storage: Storage, schema: Schema, files: StorageFile[]): Promise<OpenedChain> {
  const names = await storage.list();
  const found: Found[] = [];
  for (const number of segmentNumbers(names)) {
    const file = await storage.open(segmentName(number));
    files.push(file);
    const segment = await readFirstPage(file, number, schema);
    if ('reason' in segment) return { ok: false, refusal: segment };
    found.push(segment);
  }
  const unfinished = names.filter((name) => name.endsWith(`.log${unfinishedSuffix}`));
  const newest = found.at(-1);
  if (newest === undefined) {
    return { ok: true, chain: { segments: [], oldest: 1, journalId: undefined, leftovers: unfinished } };
  }
  const marker = decodeMarker(newest.page);
  if (marker === undefined) return damaged(`${newest.name} does not say how far it was written`);
  if (marker.continued) return damaged(`${segmentName(newest.header.number + 1)} is missing`);
  const { oldest } = marker;
  if (oldest > newest.header.number) return damaged(`${newest.name} says that it is not needed itself`);
  const needed = found.filter(({ header }) => header.number >= oldest);
  const gap = firstGap(needed, oldest);
  if (gap !== undefined) return damaged(gap);
  const obsolete = found.filter(({ header }) => header.number < oldest).map(({ name }) => name);
  const segments = needed.map((segment, index) => toSegment(segment, needed[index + 1]?.header, marker));
  const { journalId } = newest.header;
  return { ok: true, chain: { segments, oldest, journalId, leftovers: [...unfinished, ...obsolete] } };
}

function segmentNumbers(names: readonly string[]): readonly number[] {
  return names
    .map((name) => Number(segmentPattern.exec(name)?.[1] ?? Number.NaN))
    .filter((number) => !Number.isNaN(number))
    .sort((a, b) => a - b);
}

function damaged(why: string): OpenedChain {
  return { ok: false, refusal: { reason: 'damaged', why } };
}

/** What is missing or foreign between the oldest and the newest segment. */
function firstGap(segments: readonly Found[], oldest: number): string | undefined {
  const journalId = segments.at(-1)?.header.journalId;
  for (const [index, { name, header }] of segments.entries()) {
    if (header.number !== oldest + index) return `${segmentName(oldest + index)} is missing`;
    if (header.journalId !== journalId) return `${name} belongs to another journal`;
  }
  return undefined;
}

function toSegment(
  { file, version, header }: Found,
  next: SegmentHeader | undefined,
  marker: { readonly count: number; readonly end: number; readonly lastSeq: number },
): Segment {
  return {
    number: header.number,
    version,
    firstSeq: header.firstSeq,
    file,
    end: next?.previousEnd ?? marker.end,
    lastSeq: next === undefined ? marker.lastSeq : next.firstSeq - 1,
    liveBytes: 0,
    markerCount: next === undefined ? marker.count : 0,
  };
}

async function readFirstPage(file: StorageFile, number: number, schema: Schema): Promise<Found | Refusal> {
  const name = segmentName(number);
  const page = await file.read(framesOffset);
  const version = segmentVersion(page);
  if (version === undefined) {
    return { reason: 'damaged', why: `${name} does not begin as a file of a journal` };
  }
  if (!isReadable(version, schema)) {
    const why = `${name} has version ${version}, this release has ${schema.version}`;
    return { reason: 'other_version', why };
  }
  const header = decodeSegmentHeader(page);
  if (header?.number !== number) return { reason: 'damaged', why: `${name} has a damaged first page` };
  return { name, file, version, header, page };
}
