import type { RefusalRule } from '../egress/policy.js';
import { UnusableAnswer } from './answer_gate.js';
import { ConnectError, type ConnectFailure, errorCode } from './connect_error.js';
import type { AttemptError, AttemptErrorCode } from './outcome.js';

/** The reason an attempt is aborted with when its deadline passes. */
export const timedOut = new Error('the attempt took too long');

/** The reason an attempt is aborted with when its job is cancelled or the relay stops. */
export const cancelled = new Error('the attempt was cancelled');

/** What the app developer reads. No resolved address appears, and a refused name reads like one that is unknown. */
const messages: Readonly<Record<AttemptErrorCode, string>> = {
  connect_failed: 'No connection to the destination could be made.',
  dns_failed: 'The name of the destination does not resolve to an address that exports may reach.',
  tls_failed: 'The destination could not prove its identity: its TLS certificate or handshake was refused.',
  timeout: 'The destination did not answer in time.',
  connection_reset: 'The connection broke before the destination answered.',
  bad_response: 'The destination sent something that is not an HTTP response.',
  destination_refused: 'Exports to this address are not allowed.',
  cancelled: 'The job was cancelled while an attempt was in flight.',
};

/** TLS failed on a connection that stood: the destination may have read all of it before. */
const brokenTls =
  'The TLS connection to the destination broke before it answered; some demand a client certificate that late.';

/**
 * Why an attempt brought no answer, from whatever was thrown. What is not recognised counts as a bad response: the
 * connection stood, and what came over it could not be used.
 */
export function attemptError(thrown: unknown): AttemptError {
  const code = attemptErrorCode(thrown);
  const message = code === 'tls_failed' && !(thrown instanceof ConnectError) ? brokenTls : messages[code];
  return { code, message, internal: internalDetail(thrown), rule: ruleOf(thrown) };
}

function attemptErrorCode(thrown: unknown): AttemptErrorCode {
  if (thrown === timedOut) return 'timeout';
  if (thrown === cancelled) return 'cancelled';
  if (thrown instanceof ConnectError) return connectErrorCode(thrown.failure);
  const code = errorCode(thrown);
  // TLS that fails after the handshake: with TLS 1.3 that is where a demand for a client's certificate shows.
  if (code === 'EPROTO' || code?.startsWith('ERR_SSL_') === true) return 'tls_failed';
  // The socket broke: as the system says, or as undici says of one that the destination closed. `AnswerGate` has
  // taken out everything else that undici calls an error of the socket.
  if (code === 'UND_ERR_SOCKET' || isSystemError(thrown)) return 'connection_reset';
  // The sender was closed.
  if (code === 'UND_ERR_DESTROYED') return 'cancelled';
  return 'bad_response';
}

function connectErrorCode(failure: ConnectFailure): AttemptErrorCode {
  switch (failure.reason) {
    case 'refused_address':
      // To the app, a name that resolves only to refused addresses looks like one that does not resolve.
      return failure.host === 'literal' ? 'destination_refused' : 'dns_failed';
    case 'dns':
      return 'dns_failed';
    case 'tls':
      return 'tls_failed';
    case 'timeout':
      return 'timeout';
    case 'connect':
      return 'connect_failed';
  }
}

/** For the log: the innermost error code, or the rule that refused an address. Never a message. */
function internalDetail(thrown: unknown): string {
  if (thrown instanceof ConnectError) {
    const { failure } = thrown;
    if (failure.reason === 'refused_address') return failure.rule;
    return failure.reason === 'timeout' ? `during ${failure.during}` : failure.code;
  }
  if (thrown instanceof UnusableAnswer) return thrown.reason;
  return errorCode(thrown) ?? (thrown instanceof Error ? thrown.name : typeof thrown);
}

function ruleOf(thrown: unknown): RefusalRule | undefined {
  if (!(thrown instanceof ConnectError) || thrown.failure.reason !== 'refused_address') return undefined;
  return thrown.failure.rule;
}

/** Whether an error came from a system call, such as `read ECONNRESET`. */
function isSystemError(thrown: unknown): boolean {
  return thrown instanceof Error && 'syscall' in thrown;
}
