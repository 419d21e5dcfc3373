import type { AttemptOutcome } from '../delivery/outcome.js';
import type { RefusalRule } from '../egress/policy.js';
import { type JobErrorCode, type JobResult, jobErrorCodes } from '../job/job.js';

/**
 * Every value a label may have is written here or is a type of ours: nothing that an app, a destination or a client
 * can choose becomes one, because each new value is a new series that the relay and Prometheus keep for good.
 */

/** By the first digit, from 2; statuses up to 999 are answers, but beyond 5xx there is no class. */
const statusClasses = ['2xx', '3xx', '4xx', '5xx', 'other'] as const;

/** How a job or an attempt ended: the class of the destination's status, or why there is none. */
export type Outcome = (typeof statusClasses)[number] | JobErrorCode;

export const outcomes: readonly Outcome[] = [...statusClasses, ...keysOf(jobErrorCodes)];

export function outcomeOf(end: AttemptOutcome | JobResult): Outcome {
  return end.kind === 'answered' ? statusClassOf(end.answer.statusCode) : end.error.code;
}

function statusClassOf(status: number): Outcome {
  return statusClasses[Math.floor(status / 100) - 2] ?? 'other';
}

const rules = {
  http: true,
  localhost: true,
  own_listener: true,
  destination_not_listed: true,
  unspecified: true,
  loopback: true,
  private: true,
  unique_local: true,
  link_local: true,
  cgnat: true,
  cloud_host: true,
  multicast: true,
  documentation: true,
  benchmarking: true,
  embedded_ipv4: true,
  reserved: true,
  not_an_address: true,
} satisfies Record<RefusalRule, true>;

/** Of `--require-destination`, which is no rule about a destination. */
export type Rule = RefusalRule | 'require_destination';

export const ruleNames: readonly RefusalRule[] = keysOf(rules);

/** The rule of this name; `undefined` for what is none, such as the error code of a resolver. */
export function ruleNamed(text: string): Rule | undefined {
  return [...ruleNames, 'require_destination' as const].find((rule) => rule === text);
}

/** Why a connection of a client was not accepted. */
export const refusedConnections = ['max_connections', 'EMFILE', 'ENFILE', 'other'] as const;
export type ConnectionRefusal = (typeof refusedConnections)[number];

/** Of the system's codes, those that an operator can do something about have a name. */
export function connectionRefusal(code: string): ConnectionRefusal {
  return refusedConnections.find((known) => known === code) ?? 'other';
}

function keysOf<Key extends string>(table: Readonly<Record<Key, true>>): readonly Key[] {
  return Object.keys(table).filter((key): key is Key => Object.hasOwn(table, key));
}
