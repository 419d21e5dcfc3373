import type { Failure } from '../failure.js';
import { leavesRoom } from './shares.js';

/** Bounds on what is unfinished and what is held in memory. */
export interface AdmissionLimits {
  readonly maxQueued: number;
  readonly maxQueuedPerLane: number;
  readonly maxMemoryBytes: number;
}

/** The load a new job meets. */
export interface AdmissionLoad {
  readonly unfinished: number;
  readonly unfinishedOfAccount: number;
  readonly unfinishedInLane: number;
  /** Payloads and kept responses, the new payload included, as if results already read had made way. */
  readonly bytes: number;
  /** The account's that the new job counts for: what it has read counts until it has made way. */
  readonly bytesOfAccount: number;
}

/** What there is to know about the relay beside its load. */
export interface AdmissionState {
  readonly closing: boolean;
  /** Seconds until a place is likely to be free; asked for only where there is none. */
  readonly retryAfterSeconds: () => number;
}

/** Why a new job is not accepted now, or `undefined` if it is. */
export function refusal(
  load: AdmissionLoad,
  limits: AdmissionLimits,
  { closing, retryAfterSeconds }: AdmissionState,
): Failure | undefined {
  if (closing) {
    return {
      code: 'shutting_down',
      retryAfterSeconds: retryAfterSeconds(),
      detail: 'The relay is stopping and takes no new jobs.',
    };
  }
  if (load.unfinishedInLane >= limits.maxQueuedPerLane) {
    return {
      code: 'lane_full',
      retryAfterSeconds: retryAfterSeconds(),
      detail: `You have ${load.unfinishedInLane} unfinished jobs for this destination; the limit is ${limits.maxQueuedPerLane}.`,
    };
  }
  if (!leavesRoom(load.unfinished + 1, load.unfinishedOfAccount + 1, limits.maxQueued)) {
    return {
      code: 'queue_full',
      retryAfterSeconds: retryAfterSeconds(),
      detail: 'The relay holds as many unfinished jobs as it may.',
    };
  }
  if (!leavesRoom(load.bytes, load.bytesOfAccount, limits.maxMemoryBytes)) {
    return {
      code: 'queue_full',
      retryAfterSeconds: retryAfterSeconds(),
      detail: 'The relay holds as much data as it may.',
    };
  }
  return undefined;
}
