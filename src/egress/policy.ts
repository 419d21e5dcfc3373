import { classOf, identities, type RefusedAddressClass } from './address.js';
import { type Destination } from './destination.js';
import { covers, type Network, parseAddress } from './network.js';
import { isOwnListener, type OwnListener } from './own_listener.js';
import { matchesPattern } from './pattern.js';

/** Where exports may go, beyond the public internet by `https:`. */
export interface EgressPolicy {
  /** `--allow-http` */
  readonly allowHttp: boolean;
  /** `--allow-network`: ranges that are otherwise refused. */
  readonly allowNetworks: readonly Network[];
  /** `--allow-destination`: patterns as in a `destination` caveat, one of which must match; empty: any. */
  readonly allowDestinations: readonly string[];
}

/** Why a destination is refused: the label of the log and the metrics. */
export type RefusalRule =
  | 'http'
  | 'localhost'
  | 'own_listener'
  | 'destination_not_listed'
  | RefusedAddressClass;

export type Verdict = { readonly allowed: true } | Refusal;

interface Refusal {
  readonly allowed: false;
  readonly rule: RefusalRule;
  /** One sentence for the app's developer; names no address that a name resolved to. */
  readonly detail: string;
}

const allowed: Verdict = { allowed: true };

/**
 * Judges a destination by what its URL says, before anything is queued or resolved. A name that passes is
 * judged again at every connection, by `judgeAddress`.
 */
export function judgeDestination(
  destination: Destination,
  policy: EgressPolicy,
  own: readonly OwnListener[],
): Verdict {
  if (destination.protocol === 'http:' && !policy.allowHttp) return refuse('http');
  const verdict = judgeHost(destination, policy, own);
  if (!verdict.allowed) return verdict;
  const { allowDestinations } = policy;
  const listed = allowDestinations.some((pattern) => matchesPattern(pattern, destination));
  return listed || allowDestinations.length === 0 ? allowed : refuse('destination_not_listed');
}

function judgeHost(
  { host, address, port }: Destination,
  policy: EgressPolicy,
  own: readonly OwnListener[],
): Verdict {
  if (address !== undefined) return judgeAddress(address, port, policy, own);
  return isLocalhost(host) ? judgeLocalhost(port, policy, own) : allowed;
}

/** RFC 6761: `localhost` and all names below it are the loopback, whatever a resolver says. */
function isLocalhost(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost');
}

function judgeLocalhost(port: number, policy: EgressPolicy, own: readonly OwnListener[]): Verdict {
  const verdicts = ['127.0.0.1', '::1'].map((address) => judgeAddress(address, port, policy, own));
  const relayItself = verdicts.find((verdict) => !verdict.allowed && verdict.rule === 'own_listener');
  return relayItself ?? verdicts.find((verdict) => verdict.allowed) ?? refuse('localhost');
}

/**
 * Judges one address that a connection would go to, or has gone to: a literal, an answer of a resolver, or a
 * socket's peer. The relay's own listeners (`own`, see `reachableListeners`) are refused whatever is allowed.
 */
export function judgeAddress(
  address: string,
  port: number,
  policy: EgressPolicy,
  own: readonly OwnListener[],
): Verdict {
  const parsed = parseAddress(address);
  if (parsed === undefined) return refuse('not_an_address');
  for (const identity of identities(parsed)) {
    const rule = classOf(identity);
    if (rule === 'public') continue;
    if (!policy.allowNetworks.some((network) => covers(network, identity))) return refuse(rule);
  }
  // Last, so that an app cannot find the relay's ports on an address it may not reach anyway.
  return isOwnListener(parsed, port, own) ? refuse('own_listener') : allowed;
}

function refuse(rule: RefusalRule): Refusal {
  return { allowed: false, rule, detail: details[rule] };
}

const details: Readonly<Record<RefusalRule, string>> = {
  http: 'The destination is an http: URL; use https:, or have the operator set --allow-http.',
  localhost:
    'The destination is a localhost name, which exports may not reach unless the operator allows the loopback with --allow-network.',
  own_listener: 'The destination is the relay itself, which exports may never reach.',
  destination_not_listed:
    'The destination is not among those the operator consents to with --allow-destination.',
  unspecified: needsNetwork('the unspecified address'),
  loopback: needsNetwork('a loopback address'),
  private: needsNetwork('a private address'),
  unique_local: needsNetwork('a unique local address'),
  link_local: needsNetwork('a link-local address'),
  cgnat: needsNetwork("an address of a carrier's shared range"),
  cloud_host: needsNetwork("an address of a cloud's own host"),
  multicast: needsNetwork('a multicast address'),
  documentation: needsNetwork('an address reserved for documentation'),
  benchmarking: needsNetwork('an address reserved for benchmarks'),
  embedded_ipv4: needsNetwork('an IPv6 address that carries an IPv4 address'),
  reserved: needsNetwork('a reserved address'),
  not_an_address: 'The destination has no address that exports may reach.',
};

function needsNetwork(what: string): string {
  return `The destination is ${what}, which exports may not reach unless the operator allows its network with --allow-network.`;
}
