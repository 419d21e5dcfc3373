import { type ParsedDestination, parseDestination } from '../egress/destination.js';
import type { JobId } from '../job/job.js';
import { type Chain, damagedAt, type Refusal, segmentName } from './chain.js';
import { type FrameHeader, frameHeaderBytes } from './frame.js';
import { type LiveJob, LiveJobs, type Place } from './live_jobs.js';
import { readAhead } from './read_ahead.js';
import { decodeRecord, type Ordered, type Schema } from './record.js';
import { scanFrames, type Segment } from './segment.js';

/** What the frames of a journal come to. */
export interface Replayed {
  readonly live: LiveJobs;
  /** In the order in which they were first put. */
  readonly jobs: readonly Ordered[];
  /** Dead frames whose payload is still there. */
  readonly unscrubbed: readonly Place[];
}

export type Replay =
  | { readonly ok: true; readonly replayed: Replayed }
  | { readonly ok: false; readonly refusal: Refusal };

/** Reads all segments: once to see which frames count and that they are whole, once more for what they say. */
export async function replay(chain: Chain, schema: Schema): Promise<Replay> {
  const tally = new Tally();
  const newest = chain.segments.at(-1);
  // Behind the durable end of the newest there may be more.
  const until = (segment: Segment): number => (segment === newest ? Infinity : segment.end);
  for await (const { segment, bytes } of readAhead(chain.segments, until)) {
    const offset = tally.note(segment, bytes);
    if (offset !== undefined) return damaged(segment, offset);
  }
  const broken = tally.brokenPlace();
  if (broken !== undefined) return damaged(broken.segment, broken.offset);
  const decoded = await decodeAll(tally.live, schema);
  if ('refusal' in decoded) return { ok: false, refusal: decoded.refusal };
  return { ok: true, replayed: { live: tally.live, jobs: decoded.jobs, unscrubbed: tally.unscrubbed } };
}

function damaged(segment: Segment, offset: number): Replay {
  return { ok: false, refusal: { reason: 'damaged', why: damagedAt(segment.number, offset) } };
}

/** Which frames count, while they are read. */
class Tally {
  readonly live = new LiveJobs();
  readonly unscrubbed: Place[] = [];
  readonly #broken = new Set<Place>();
  readonly #scrubbed = new Set<Place>();

  /** Walks a segment and sets its end to where the writing stopped. The offset of damage, if there is some. */
  note(segment: Segment, bytes: Buffer): number | undefined {
    const { number, firstSeq, lastSeq, end: durableEnd } = segment;
    let lastId: JobId | undefined;
    const scan = scanFrames(bytes, { number, firstSeq, durableEnd }, (frame, offset, intact) => {
      const place: Place = { segment, offset, payloadBytes: frame.payloadBytes };
      const start = offset + frameHeaderBytes;
      if (!intact) this.#broken.add(place);
      if (isZero(bytes, start, start + frame.payloadBytes)) this.#scrubbed.add(place);
      this.#apply(frame, place);
      lastId = frame.id;
    });
    if (!scan.ok) return scan.offset;
    if (scan.end < durableEnd || (scan.end === durableEnd && scan.lastSeq !== lastSeq)) return scan.end;
    segment.end = scan.end;
    segment.lastSeq = scan.lastSeq;
    if (scan.end > durableEnd && lastId !== undefined) this.#dropUnfinished(segment, lastId);
    // What is dropped begins behind what is durable, unless somebody made it reach there.
    return segment.end < durableEnd ? segment.end : undefined;
  }

  /** The first frame that counts and is not whole, or that lacks the other half of its job. */
  brokenPlace(): Place | undefined {
    for (const { state, data } of this.live.all()) {
      if (state !== undefined && this.#broken.has(state)) return state;
      if (data !== undefined && (state === undefined || this.#broken.has(data))) return data;
    }
    return undefined;
  }

  /** A new job's data comes right before its state. Where the writing stopped between them, it stopped before both. */
  #dropUnfinished(segment: Segment, id: JobId): void {
    const { state, data } = this.live.get(id) ?? {};
    if (state !== undefined || data === undefined) return;
    this.live.drop(id);
    segment.end = data.offset;
    segment.lastSeq -= 1;
  }

  #apply({ kind, id }: FrameHeader, place: Place): void {
    for (const dead of this.live.apply(kind, id, place, 0)) {
      if (!this.#scrubbed.delete(dead)) this.unscrubbed.push(dead);
      this.#broken.delete(dead);
    }
  }
}

function isZero(bytes: Buffer, start: number, end: number): boolean {
  if (start === end) return true;
  return bytes[start] === 0 && bytes.subarray(start, end).equals(Buffer.alloc(end - start));
}

async function decodeAll(
  live: LiveJobs,
  schema: Schema,
): Promise<{ readonly jobs: readonly Ordered[] } | { readonly refusal: Refusal }> {
  const parse = rememberingParser();
  const jobs: Ordered[] = [];
  let refusal: Refusal | undefined;
  await readAll(live, (kept, state, { record, data }) => {
    const decoded = decodeRecord(
      { id: kept.id, version: state.segment.version, record, data },
      schema,
      parse,
    );
    if (decoded.ok) {
      kept.order = decoded.stored.order;
      jobs.push(decoded.stored);
    } else {
      const where = ` (${segmentName(state.segment.number)}, byte ${state.offset})`;
      const reason = decoded.newer ? 'other_version' : 'damaged';
      refusal ??= { reason, why: `a job cannot be read: ${decoded.reason}${where}` };
    }
  });
  if (refusal !== undefined) return { refusal };
  return { jobs: jobs.sort((a, b) => a.order - b.order) };
}

/** What one job's frames say. */
interface Texts {
  readonly record: string;
  /** What is delivered; empty for a Finished job. */
  readonly data: string;
}

/** Gives the texts of the frames that count to `visit`, job by job. */
async function readAll(
  live: LiveJobs,
  visit: (kept: LiveJob, state: Place, texts: Texts) => void,
): Promise<void> {
  const jobsIn = new Map<Segment, LiveJob[]>();
  const note = ({ segment }: Place, job: LiveJob): void => {
    const jobs = jobsIn.get(segment);
    if (jobs === undefined) jobsIn.set(segment, [job]);
    else jobs.push(job);
  };
  for (const job of live.all()) {
    const { state, data } = job;
    if (state === undefined) continue;
    note(state, job);
    if (data !== undefined && data.segment !== state.segment) note(data, job);
  }
  /** The first half of each job whose halves lie in two segments. */
  const halves = new Map<LiveJob, string>();
  for await (const { segment, bytes } of readAhead(jobsIn.keys(), ({ end }) => end)) {
    const textAt = ({ offset, payloadBytes }: Place): string =>
      bytes.toString('utf8', offset + frameHeaderBytes, offset + frameHeaderBytes + payloadBytes);
    for (const kept of jobsIn.get(segment) ?? []) {
      const { state, data } = kept;
      if (state === undefined) continue;
      if (data === undefined) visit(kept, state, { record: textAt(state), data: '' });
      else if (data.segment === state.segment)
        visit(kept, state, { record: textAt(state), data: textAt(data) });
      else {
        const here = textAt(state.segment === segment ? state : data);
        const other = halves.get(kept);
        if (other === undefined) halves.set(kept, here);
        else {
          halves.delete(kept);
          const isState = state.segment === segment;
          visit(kept, state, { record: isState ? here : other, data: isState ? other : here });
        }
      }
    }
  }
}

/** Jobs often share a destination, and then its text is kept once as well. */
function rememberingParser(): (text: string) => ParsedDestination {
  const known = new Map<string, ParsedDestination>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const parsed = parseDestination(text);
    known.set(text, parsed);
    return parsed;
  };
}
