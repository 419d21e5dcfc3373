import { createHash } from 'node:crypto';
import type { Destination } from '../egress/destination.js';
import { type Allowance, allowanceOf } from '../macaroon/allowance.js';
import { deriveKey, signatureHolds } from '../macaroon/chain.js';
import { type Fit, fitOf } from '../macaroon/fit.js';
import { type Predicate, toPredicate } from '../macaroon/predicate.js';
import type { Macaroon } from '../macaroon/token.js';

/** What is to be found out about a macaroon. */
export interface Asked {
  /** Root secrets as text. */
  readonly secrets: readonly string[];
  /** The request it is held against, as far as it was described. */
  readonly request: AskedRequest | undefined;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

interface AskedRequest {
  readonly target: string | undefined;
  readonly path: string | undefined;
  readonly method: string | undefined;
  readonly destination: Destination | undefined;
  readonly action: 'submit' | 'poll' | 'cancel' | undefined;
  readonly jobId: string | undefined;
  readonly bytes: number | undefined;
  readonly data: string | undefined;
}

/** One caveat, and how the request stands to it. */
interface CaveatFinding {
  readonly caveat: Predicate;
  /** Undefined where no request was asked about. */
  readonly fit: Fit | undefined;
}

export interface Findings {
  readonly location: string;
  readonly identifier: string;
  /** Whether it holds under one of the secrets; `unchecked` without any. */
  readonly signature: 'holds' | 'broken' | 'unchecked';
  /** The first digits of it, which tell two macaroons apart and are no use to anybody else. */
  readonly signatureStart: string;
  /** Characters of the token. */
  readonly length: number;
  readonly caveats: readonly CaveatFinding[];
  readonly allowance: Allowance;
  readonly nowMs: number;
}

export function findingsOf(macaroon: Macaroon, token: string, { secrets, request, nowMs }: Asked): Findings {
  const predicates = macaroon.caveats.map(toPredicate);
  const described = request === undefined ? undefined : { ...request, ...dataFacts(request), nowMs };
  return {
    location: macaroon.location,
    identifier: macaroon.identifier,
    signature: signatureOf(macaroon, secrets),
    signatureStart: Buffer.from(macaroon.signature).toString('hex').slice(0, 8),
    length: token.length,
    caveats: predicates.map((caveat) => ({
      caveat,
      fit: described === undefined ? undefined : fitOf(caveat, described),
    })),
    allowance: allowanceOf(predicates, nowMs),
    nowMs,
  };
}

/** Whether nothing that was asked has the answer no. */
export function isGood({ signature, caveats }: Findings): boolean {
  return signature !== 'broken' && caveats.every(({ fit }) => fit?.kind !== 'refused');
}

function signatureOf(macaroon: Macaroon, secrets: readonly string[]): Findings['signature'] {
  if (secrets.length === 0) return 'unchecked';
  return secrets.some((secret) => signatureHolds(macaroon, deriveKey(secret))) ? 'holds' : 'broken';
}

function dataFacts({ data, bytes }: AskedRequest): {
  readonly bytes: number | undefined;
  readonly sha256Hex: string | undefined;
} {
  if (data === undefined) return { bytes, sha256Hex: undefined };
  return { bytes: Buffer.byteLength(data), sha256Hex: createHash('sha256').update(data).digest('hex') };
}
