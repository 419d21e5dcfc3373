import type { Copy } from './batch.js';
import { frameHeaderBytes } from './frame.js';
import type { LiveJobs } from './live_jobs.js';
import { scanFrames, type Segment } from './segment.js';

/**
 * Whether the oldest segment should make way: when more than half of the journal is dead, or it lies in many small
 * files because of many restarts. Always the oldest, so that what a `remove` was about is gone before the `remove`.
 */
export function needsCleaning(segments: readonly Segment[], segmentBytes: number): boolean {
  if (segments.length <= 2) return false;
  let total = 0;
  let live = 0;
  for (const { end, liveBytes } of segments) {
    total += end;
    live += liveBytes;
  }
  return total > 2 * live + 2 * segmentBytes || segments.length > 2 * (live / segmentBytes) + 8;
}

export type FoundCopies =
  | { readonly ok: true; readonly copies: readonly Copy[] }
  /** Something in it that counts is no longer what was written. */
  | { readonly ok: false; readonly offset: number };

/** The frames of a segment that count. */
export async function findCopies(segment: Segment, live: LiveJobs): Promise<FoundCopies> {
  const copies: Copy[] = [];
  let broken: number | undefined;
  const { number, firstSeq, end: durableEnd } = segment;
  const bytes = segment.liveBytes === 0 ? undefined : await segment.file.read(durableEnd);
  if (bytes === undefined) return { ok: true, copies };
  const scan = scanFrames(
    bytes,
    { number, firstSeq, durableEnd },
    ({ kind, id, payloadBytes }, offset, intact) => {
      const job = live.get(id);
      const from = [job?.state, job?.data].find(
        (place) => place?.segment === segment && place.offset === offset,
      );
      if (from === undefined) return;
      if (!intact) broken ??= offset;
      const start = offset + frameHeaderBytes;
      copies.push({ kind, id, payload: bytes.subarray(start, start + payloadBytes), from });
    },
  );
  if (!scan.ok) return { ok: false, offset: scan.offset };
  return broken === undefined ? { ok: true, copies } : { ok: false, offset: broken };
}

/** The first copies that together are not much longer than `maxBytes`; at least one. */
export function nextCopies(copies: readonly Copy[], from: number, maxBytes: number): readonly Copy[] {
  let bytes = 0;
  let end = from;
  while (end < copies.length && bytes < maxBytes) {
    bytes += copies[end]?.payload.length ?? 0;
    end += 1;
  }
  return copies.slice(from, end);
}
