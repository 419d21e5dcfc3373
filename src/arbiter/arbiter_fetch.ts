import { X509Certificate } from 'node:crypto';
import type { ArbiterEndpoint } from './endpoint.js';
import { apiKeyFromToken, fetchSecretOverHttp, type HttpFetch } from './http_client.js';
import type { SecretFetch } from './outcome.js';
import { curveKeyMistake } from './z85.js';
import { type LoadedZeromq, loadZeromq } from './zeromq.js';
import { fetchSecretOverZest, type ZestFetch } from './zest_client.js';

export interface ArbiterSetup {
  readonly endpoint: ArbiterEndpoint;
  /** Content of `ARBITER_TOKEN`. */
  readonly token: Uint8Array | undefined;
  /** Content of `ZMQ_PUBLIC_KEY`; only Zest needs it. */
  readonly serverKey: string | undefined;
  /** Content of `DATABOX_ROOT_CA`; without it, https arbiters are verified against the authorities Node trusts. */
  readonly rootCa: string | undefined;
  /** What the arbiter knows the service as. */
  readonly serviceName: string;
  /** One try, from connecting to the last byte of the answer. */
  readonly timeoutMs?: number;
}

export type ArbiterFetch =
  | { readonly ok: true; readonly fetch: SecretFetch }
  /** What the operator must set right; each names its setting. */
  | { readonly ok: false; readonly mistakes: readonly string[] };

type Plan =
  | { readonly protocol: 'zest'; readonly fetch: Omit<ZestFetch, 'zeromq'> }
  | { readonly protocol: 'http'; readonly fetch: HttpFetch }
  | { readonly protocol: 'none'; readonly mistakes: readonly string[] };

/** Generous, because a Zest request that is given up too early may still be answered, and then changes the secret. */
const defaultTimeoutMs = 10_000;
/** As much as HTTP servers take in a header; Zest has room for more. */
const maxTokenBytes = 8192;
const maxNameBytes = 255;

/** What is wrong with the arbiter's settings; nothing is opened or loaded to find out. */
export function checkArbiterSetup(setup: ArbiterSetup): readonly string[] {
  const plan = planFetch(setup);
  return plan.protocol === 'none' ? plan.mistakes : [];
}

/** Picks the client that the endpoint asks for. zeromq is loaded only if it is needed. */
export async function createArbiterFetch(
  setup: ArbiterSetup,
  load: () => Promise<LoadedZeromq> = loadZeromq,
): Promise<ArbiterFetch> {
  const plan = planFetch(setup);
  switch (plan.protocol) {
    case 'none':
      return { ok: false, mistakes: plan.mistakes };
    case 'http':
      return { ok: true, fetch: (signal) => fetchSecretOverHttp(plan.fetch, signal) };
    case 'zest': {
      const loaded = await load();
      if (!loaded.ok) return { ok: false, mistakes: [loaded.detail] };
      const fetch: ZestFetch = { ...plan.fetch, zeromq: loaded.zeromq };
      return { ok: true, fetch: (signal) => fetchSecretOverZest(fetch, signal) };
    }
  }
}

function planFetch(setup: ArbiterSetup): Plan {
  return setup.endpoint.protocol === 'zest'
    ? planZest(setup, setup.endpoint)
    : planHttp(setup, setup.endpoint);
}

function planZest(setup: ArbiterSetup, endpoint: ArbiterEndpoint & { readonly protocol: 'zest' }): Plan {
  const { token, serverKey = '', serviceName, timeoutMs = defaultTimeoutMs } = setup;
  // Key files written by hand end in a line break.
  const key = serverKey.trim();
  const mistakes = [tokenMistake(token), curveKeyMistake(key), nameMistake(serviceName)].filter(isText);
  if (token === undefined || mistakes.length > 0) return { protocol: 'none', mistakes };
  const { address, ipv6 } = endpoint;
  return {
    protocol: 'zest',
    fetch: { address, ipv6, token, serverKey: key, host: serviceName, timeoutMs },
  };
}

function planHttp(setup: ArbiterSetup, endpoint: ArbiterEndpoint & { readonly protocol: 'http' }): Plan {
  const { token, rootCa, timeoutMs = defaultTimeoutMs } = setup;
  const trusted = endpoint.tls ? rootCa : undefined;
  const apiKey = token === undefined ? undefined : apiKeyFromToken(token);
  const mistakes = [tokenMistake(token), caMistake(trusted)].filter(isText);
  if (apiKey === undefined || mistakes.length > 0) return { protocol: 'none', mistakes };
  return { protocol: 'http', fetch: { url: endpoint.address, apiKey, rootCa: trusted, timeoutMs } };
}

function tokenMistake(token: Uint8Array | undefined): string | undefined {
  const wanted = 'the arbiter expects the token that the platform gave this service';
  if (token === undefined) return `ARBITER_TOKEN is not among the secret files: ${wanted}`;
  // An empty key must never count as one.
  if (apiKeyFromToken(token) === undefined) return `ARBITER_TOKEN is empty: ${wanted}`;
  if (token.length > maxTokenBytes) return `ARBITER_TOKEN is longer than ${maxTokenBytes} bytes: ${wanted}`;
  return undefined;
}

function nameMistake(name: string): string | undefined {
  const length = Buffer.byteLength(name);
  if (length > 0 && length <= maxNameBytes) return undefined;
  return `the service's name must have 1 to ${maxNameBytes} bytes for a tcp:// arbiter`;
}

function caMistake(rootCa: string | undefined): string | undefined {
  if (rootCa === undefined) return undefined;
  try {
    new X509Certificate(rootCa);
    return undefined;
  } catch {
    return 'DATABOX_ROOT_CA holds no certificate in PEM';
  }
}

function isText(mistake: string | undefined): mistake is string {
  return mistake !== undefined;
}
