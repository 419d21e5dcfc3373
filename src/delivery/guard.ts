import { promises as dns } from 'node:dns';
import { isIP } from 'node:net';
import { type OwnListener } from '../egress/own_listener.js';
import { type EgressPolicy, judgeAddress, type RefusalRule, type Verdict } from '../egress/policy.js';
import { codeOf, ConnectError, type ConnectFailure } from './connect_error.js';
import { Lookups } from './lookups.js';

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

/**
 * Lookups under way at once. libuv lends them half of its threads: two as Node comes, and as many as this with the
 * `UV_THREADPOOL_SIZE` of the image.
 */
const maxLookups = 32;

export function createGuard({ policy, ownListeners, lookup = systemLookup }: GuardOptions): Guard {
  const lookups = new Lookups(lookup, maxLookups);
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
    const answer = await lookups.ask(host, timeoutMs);
    switch (answer.outcome) {
      case 'answered':
        return vet(host, port, answer.addresses);
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
