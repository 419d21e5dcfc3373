import { type RefusalRule } from '../egress/policy.js';

/** The steps of making a connection, in order. */
export type ConnectPhase = 'dns' | 'connect' | 'tls';

/** Why there is no connection. `code` is the system's, OpenSSL's or Node's error code. */
export type ConnectFailure =
  | {
      readonly reason: 'refused_address';
      readonly rule: RefusalRule;
      /** Whether the URL has the address itself, or a name that resolved to it. */
      readonly host: 'literal' | 'name';
      /** The refused address: for the operator's log, never for the app. */
      readonly address: string;
    }
  /** `dns`: the name does not resolve. `connect`: no connection, or it broke before TLS was up. */
  | { readonly reason: 'dns' | 'connect'; readonly code: string }
  /** The TLS handshake failed; `certificate` if it was for the destination's certificate. */
  | { readonly reason: 'tls'; readonly code: string; readonly certificate: boolean }
  | { readonly reason: 'timeout'; readonly during: ConnectPhase };

/**
 * The only error of the guarded connector. The message may be shown to the app: it names no address that the URL
 * does not name, and is the same for a name that does not resolve and one that resolves to refused addresses.
 * `failure` and `cause` are for the log.
 */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
  readonly failure: ConnectFailure;

  constructor(host: string, failure: ConnectFailure, options?: ErrorOptions) {
    super(describe(host, failure), options);
    this.failure = failure;
  }
}

function describe(host: string, failure: ConnectFailure): string {
  switch (failure.reason) {
    case 'refused_address':
      return failure.host === 'literal'
        ? `${host} is not an address that exports may reach`
        : unresolvable(host);
    case 'dns':
      return unresolvable(host);
    case 'connect':
      return `no connection to ${host} (${failure.code})`;
    case 'tls':
      return `no TLS session with ${host} (${failure.code})`;
    case 'timeout':
      return `no connection to ${host} in time (${failure.during})`;
  }
}

function unresolvable(host: string): string {
  return `${host} does not resolve to an address that exports may reach`;
}

/** The code of an error of Node's or undici's, if it has one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The same, for logs and tables. */
export function codeOf(error: unknown): string {
  return errorCode(error) ?? 'unknown';
}

/** Codes of a connection that broke while TLS was being negotiated. */
const brokenConnection = new Set(['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH']);

/** What an error says that came before the TLS session stood. */
export function tlsFailure(error: unknown): ConnectFailure {
  const code = codeOf(error);
  return brokenConnection.has(code)
    ? { reason: 'connect', code }
    : { reason: 'tls', code, certificate: isAboutCertificate(code) };
}

/** OpenSSL's verification codes have no common prefix; those of the protocol, which are the others, have. */
function isAboutCertificate(code: string): boolean {
  return code.startsWith('ERR_TLS_CERT_ALTNAME_') || !/^(?:ERR_|E[A-Z]+$|unknown$)/.test(code);
}
