import { crc32 } from 'node:zlib';
import { frameHeaderBytes } from '#relay/journal/frame.js';
import { openLog } from '#relay/journal/open_log.js';
import { framesOffset } from '#relay/journal/segment_header.js';
import type { MemoryDisk } from '../helpers/memory_disk.js';
import { openOn } from '../helpers/open_logs.js';
import { type Files, decodeChange, diskWith, encodeChange, filesOf, holds } from './disk_files.js';
import { corpusFiles, must, type Run, type Target } from './target.js';

/** One file of a journal of the corpus. */
interface Place {
  readonly files: Files;
  readonly name: string;
  readonly bytes: Buffer;
}

/** A journal that was closed, and one whose process was killed. */
function places(): readonly Place[] {
  return ['journal/closed', 'journal/killed'].flatMap((folder) => {
    const files = filesOf(folder, /\.log$/);
    return [...files].map(([name, bytes]) => ({ files, name, bytes }));
  });
}

/** Where the newest file says in turn how far it is durable. */
const markerOffsets = [512, 1024] as const;
const markerBytes = 36;

function putCrc(bytes: Buffer, start: number, end: number, at: number): void {
  if (at + 4 <= bytes.length) bytes.writeUInt32LE(crc32(bytes.subarray(start, end)), at);
}

/** Makes the checksums of a file fit its content. */
function forge(bytes: Buffer): void {
  putCrc(bytes, 0, 12, 12);
  putCrc(bytes, 0, 56, 56);
  for (const at of markerOffsets) putCrc(bytes, at, at + markerBytes - 4, at + markerBytes - 4);
  let at = bytes.indexOf('XRJF', framesOffset, 'latin1');
  while (at !== -1 && at + frameHeaderBytes <= bytes.length) {
    const payload = at + frameHeaderBytes;
    const end = payload + bytes.readUInt32LE(at + 8);
    if (end <= bytes.length) putCrc(bytes, payload, end, at + 12);
    putCrc(bytes, at, at + 44, at + 44);
    at = bytes.indexOf('XRJF', at + 4, 'latin1');
  }
}

async function jobsOn(disk: MemoryDisk): Promise<string> {
  const { log, jobs } = await openOn(disk);
  await log.close();
  return JSON.stringify(jobs);
}

interface Expected extends Place {
  readonly jobs: string;
}

async function open(): Promise<Run> {
  const expected: Expected[] = [];
  for (const place of places()) {
    expected.push({ ...place, jobs: await jobsOn(diskWith(place.files)) });
  }
  return async (input) => {
    const { index, bytes, forged } = decodeChange(input, expected.length);
    const place = expected[index];
    if (place === undefined) return;
    if (forged) forge(bytes);
    const changed = new Map(place.files).set(place.name, bytes);
    const disk = diskWith(changed);
    const opened = await openLog(disk.storage());
    if (!opened.ok) {
      must(/^(damaged|other_version)$/.test(opened.refusal.reason), 'refused for another reason');
      must(opened.refusal.why.includes('jobs-'), 'the refusal names no file');
      must(holds(disk, changed), 'a journal that was refused was changed');
      return;
    }
    const jobs = JSON.stringify(opened.jobs);
    await opened.log.close();
    must(forged || jobs === place.jobs, 'a job was lost or changed');
    must((await jobsOn(disk)) === jobs, 'the next start finds other jobs');
  };
}

/** Files of a journal, as a disk or somebody has changed them. */
export const journal: Target = {
  name: 'journal',
  maxBytes: 100_000,
  dictionary: [
    'XRJF',
    'XRELAYJ\n',
    '{}',
    'null',
    '"',
    '[',
    '"state"',
    '"Finished"',
    '\0\0\0\0',
    Buffer.alloc(512),
  ],
  corpus: () => [
    ...places().flatMap(({ bytes }, index) => [
      encodeChange(index, bytes, false),
      encodeChange(index, bytes, true),
    ]),
    ...corpusFiles('journal/found', '.input'),
  ],
  open,
};
