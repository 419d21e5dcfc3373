import type { Destination } from '../egress/destination.js';
import { laneOf } from './job.js';

/**
 * Whom a job counts for: its owner. The platform's macaroons name none; there the jobs of a lane are taken for one
 * app's.
 */
export function accountOf(job: { readonly owner: string; readonly destination: Destination }): string {
  return job.owner === '' ? laneOf(job) : job.owner;
}

/** How much each account, or lane, has of something. Those that have nothing take no memory. */
export class Shares {
  /** Changed in place: to set a value anew takes longer than to find it. */
  readonly #held = new Map<string, { amount: number }>();

  of(holder: string): number {
    return this.#held.get(holder)?.amount ?? 0;
  }

  /** Adds what may be negative. */
  add(holder: string, amount: number): void {
    const held = this.#held.get(holder);
    if (held !== undefined) {
      held.amount += amount;
      if (held.amount === 0) this.#held.delete(holder);
    } else if (amount !== 0) this.#held.set(holder, { amount });
  }
}

/** Beyond a bound for all, what is left for those who have little. */
const reserve = 1 / 8;
/** Of the bound; whoever has no more has little. */
const little = 1 / 64;

/**
 * Whether something that all accounts together have a bound on leaves room for one of them, if `total` of it were taken
 * and `ofAccount` by this one. Whoever has used the bound up is refused, and does not shut out those who have little.
 */
export function leavesRoom(total: number, ofAccount: number, bound: number): boolean {
  return total <= bound || (ofAccount <= bound * little && total <= mostOf(bound));
}

/** What all together can come to, if there is room for those who have little. */
export function mostOf(bound: number): number {
  return bound * (1 + reserve);
}
