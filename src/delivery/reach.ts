import { isIP } from 'node:net';
import PQueue from 'p-queue';
import type { ConnectFailure } from './connect_error.js';
import type { Guard, Resolution } from './guard.js';

/** What a delivery to a host would find now. */
export type Reach =
  | { readonly kind: 'reachable'; readonly addresses: readonly string[] }
  /** The name does not resolve, or not to addresses that exports may reach; only the log learns which (`reason`). */
  | { readonly kind: 'unreachable'; readonly reason: string }
  /** Too many others are asking. */
  | { readonly kind: 'busy' };

export interface ReachOptions {
  readonly guard: Guard;
  /** How long whoever asks waits for an answer. */
  readonly answerWithinMs: number;
  /** How long one lookup may keep the next from beginning. */
  readonly lookupTimeoutMs: number;
}

/** Each of them is a request being held. */
const maxWaiting = 1000;

/**
 * Finds out where a delivery would go without making one. Names are looked up one at a time, in turn: nothing is queued
 * for a dry run, so nothing else bounds how many an app asks for, and the system's resolver has as few as two threads,
 * which names whose servers never answer could take from the deliveries.
 */
export function createReach(options: ReachOptions): (host: string, port: number) => Promise<Reach> {
  const { guard, answerWithinMs, lookupTimeoutMs } = options;
  const queue = new PQueue({ concurrency: 1 });
  const look = async (host: string, port: number): Promise<Reach> =>
    reachOf(await guard.resolve(host, port, lookupTimeoutMs));

  return (host, port) => {
    if (isIP(host) !== 0) return look(host, port);
    if (queue.size >= maxWaiting) return Promise.resolve({ kind: 'busy' });
    return new Promise((resolve, reject) => {
      let answer: Reach = { kind: 'busy' };
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        resolve(answer);
      }, answerWithinMs);
      const looked = queue.add(async () => {
        if (late) return;
        answer = { kind: 'unreachable', reason: 'late' };
        answer = await look(host, port);
        clearTimeout(timer);
        resolve(answer);
      });
      // A bug: whoever asks is told at once, instead of waiting for an answer that cannot come.
      looked.catch((error: unknown) => {
        clearTimeout(timer);
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    });
  };
}

function reachOf(resolution: Resolution): Reach {
  if (!resolution.ok) return { kind: 'unreachable', reason: reasonOf(resolution.error.failure) };
  const addresses = new Set(resolution.addresses.map(({ address }) => address));
  return { kind: 'reachable', addresses: [...addresses] };
}

function reasonOf(failure: ConnectFailure): string {
  if (failure.reason === 'refused_address') return failure.rule;
  return failure.reason === 'timeout' ? 'late' : failure.code;
}
