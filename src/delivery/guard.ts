import { promises as dns } from 'node:dns';
import { isIP } from 'node:net';
import { type OwnListener } from '../egress/own_listener.js';
import { type EgressPolicy, judgeAddress, type RefusalRule, type Verdict } from '../egress/policy.js';
import { codeOf, ConnectError, type ConnectFailure } from './connect_error.js';

/** An address that a name resolved to, as `dns.lookup` gives it. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** Resolves a name to all its addresses, in the order to try them; rejects with an error that has a `code`. */
export type Lookup = (hostname: string) => Promise<readonly ResolvedAddress[]>;

export interface GuardOptions {
  readonly policy: EgressPolicy;
  /** The relay's own listeners as of now (see `currentOwnListeners`); called for each address judged. */
  readonly ownListeners: () => readonly OwnListener[];
  /** Default: the system's resolver, `/etc/hosts` included. */
  readonly lookup?: Lookup;
}

export type Resolution =
  | { readonly ok: true; readonly addresses: readonly ResolvedAddress[] }
  | { readonly ok: false; readonly error: ConnectError };

/** The egress policy at the moment of connecting. */
export interface Guard {
  readonly judge: (address: string, port: number) => Verdict;
  /**
   * The addresses that `host`, a literal or a name, stands for now, if exports may reach every one of them. One
   * refused address refuses the name: a client that falls back from one address to the next would reach it.
   */
  readonly resolve: (host: string, port: number, timeoutMs: number) => Promise<Resolution>;
}

export function createGuard({ policy, ownListeners, lookup = systemLookup }: GuardOptions): Guard {
  const resolveName = shared(lookup);
  const judge = (address: string, port: number) => judgeAddress(address, port, policy, ownListeners());

  const vet = (host: string, port: number, addresses: readonly ResolvedAddress[]): Resolution => {
    if (addresses.length === 0) return failed(host, { reason: 'dns', code: 'ENODATA' });
    for (const { address } of addresses) {
      const verdict = judge(address, port);
      if (!verdict.allowed) return failed(host, refusedAddress(host, address, verdict.rule));
    }
    return { ok: true, addresses };
  };

  const resolve = async (host: string, port: number, timeoutMs: number): Promise<Resolution> => {
    const family = isIP(host);
    if (family !== 0) return vet(host, port, [{ address: host, family }]);
    const answer = await within(timeoutMs, resolveName(host));
    switch (answer.outcome) {
      case 'answered':
        return vet(host, port, answer.value);
      case 'failed':
        return failed(host, { reason: 'dns', code: codeOf(answer.error) }, answer.error);
      case 'late':
        return failed(host, { reason: 'timeout', during: 'dns' });
    }
  };

  return { judge, resolve };
}

/** The failure of a connection to `host` whose address is refused. */
export function refusedAddress(host: string, address: string, rule: RefusalRule): ConnectFailure {
  return { reason: 'refused_address', rule, host: isIP(host) === 0 ? 'name' : 'literal', address };
}

function failed(host: string, failure: ConnectFailure, cause?: unknown): Resolution {
  return { ok: false, error: new ConnectError(host, failure, { cause }) };
}

function systemLookup(hostname: string): Promise<readonly ResolvedAddress[]> {
  return dns.lookup(hostname, { all: true });
}

/**
 * Lets callers that ask for a name while it is being looked up share the answer. `getaddrinfo` cannot be
 * cancelled and holds one of few threads (libuv lends it half its pool, two by default), so a name whose servers
 * never answer must not take more than one, however many exports to it are waiting.
 */
function shared(lookup: Lookup): Lookup {
  const underWay = new Map<string, ReturnType<Lookup>>();
  const start = async (hostname: string) => {
    try {
      return await lookup(hostname);
    } finally {
      underWay.delete(hostname);
    }
  };
  return (hostname) => {
    const running = underWay.get(hostname);
    if (running !== undefined) return running;
    const started = start(hostname);
    underWay.set(hostname, started);
    return started;
  };
}

type Answer<Value> =
  | { readonly outcome: 'answered'; readonly value: Value }
  | { readonly outcome: 'failed'; readonly error: unknown }
  | { readonly outcome: 'late' };

/** What a promise came to within `timeoutMs`; its later outcome is ignored. Never rejects. */
function within<Value>(timeoutMs: number, promise: Promise<Value>): Promise<Answer<Value>> {
  return new Promise((resolve) => {
    // The immediate lets an answer that came while the event loop was busy go first.
    const timer = setTimeout(() => setImmediate(() => resolve({ outcome: 'late' })), timeoutMs);
    const settle = (answer: Answer<Value>) => {
      clearTimeout(timer);
      resolve(answer);
    };
    promise.then(
      (value) => settle({ outcome: 'answered', value }),
      (error: unknown) => settle({ outcome: 'failed', error }),
    );
  });
}
