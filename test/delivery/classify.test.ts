import test from 'ava';
import { errors } from 'undici';
import { UnusableAnswer } from '#relay/delivery/answer_gate.js';
import { attemptError, cancelled, timedOut } from '#relay/delivery/classify.js';
import { ConnectError, type ConnectFailure } from '#relay/delivery/connect_error.js';

function unconnected(failure: ConnectFailure): ConnectError {
  return new ConnectError('a.test', failure);
}

function withCode(code: unknown, more: object = {}): Error {
  return Object.assign(new Error('of the socket'), { code }, more);
}

const refused = { reason: 'refused_address', rule: 'private', address: '10.0.0.5' } as const;

const rows: readonly (readonly [name: string, thrown: unknown, code: string, internal: string])[] = [
  ['the deadline', timedOut, 'timeout', 'Error'],
  ['a cancellation', cancelled, 'cancelled', 'Error'],

  ['a refused literal', unconnected({ ...refused, host: 'literal' }), 'destination_refused', 'private'],
  ['a name at a refused address', unconnected({ ...refused, host: 'name' }), 'dns_failed', 'private'],
  ['an unknown name', unconnected({ reason: 'dns', code: 'ENOTFOUND' }), 'dns_failed', 'ENOTFOUND'],
  [
    'a connection that was refused',
    unconnected({ reason: 'connect', code: 'ECONNREFUSED' }),
    'connect_failed',
    'ECONNREFUSED',
  ],
  [
    'a certificate that was refused',
    unconnected({ reason: 'tls', code: 'CERT_HAS_EXPIRED', certificate: true }),
    'tls_failed',
    'CERT_HAS_EXPIRED',
  ],
  ['a slow connection', unconnected({ reason: 'timeout', during: 'connect' }), 'timeout', 'during connect'],

  ['TLS that fails on the way', withCode('EPROTO', { syscall: 'write' }), 'tls_failed', 'EPROTO'],
  ['a TLS alert', withCode('ERR_SSL_TLSV13_ALERT'), 'tls_failed', 'ERR_SSL_TLSV13_ALERT'],
  ['a reset', withCode('ECONNRESET', { syscall: 'read' }), 'connection_reset', 'ECONNRESET'],
  ['a system error without a code', withCode(7, { syscall: 'read' }), 'connection_reset', 'Error'],
  [
    'the end of the connection',
    new errors.SocketError('other side closed'),
    'connection_reset',
    'UND_ERR_SOCKET',
  ],
  ['a sender that was closed', new errors.ClientDestroyedError(), 'cancelled', 'UND_ERR_DESTROYED'],

  ['what does not parse', withCode('HPE_INVALID_CONSTANT'), 'bad_response', 'HPE_INVALID_CONSTANT'],
  ['101', new UnusableAnswer('switches_protocols'), 'bad_response', 'switches_protocols'],
  ['an answer without an end', new UnusableAnswer('endless'), 'bad_response', 'endless'],
  ['an error of ours', new TypeError('a bug'), 'bad_response', 'TypeError'],
  ['an object like an error', { code: 'ECONNRESET', syscall: 'read' }, 'bad_response', 'object'],
  ['a text', 'ECONNRESET', 'bad_response', 'string'],
  ['nothing', undefined, 'bad_response', 'undefined'],
];

for (const [name, thrown, code, internal] of rows) {
  test(`${name}: ${code}, and ${internal} in the log`, (t) => {
    const rule = internal === 'private' ? internal : undefined;
    t.like(attemptError(thrown), { code, internal, rule });
  });
}

test('an unusable answer is known by name where errors are printed', (t) => {
  t.is(
    String(new UnusableAnswer('endless')),
    "UnusableAnswer: the destination's answer cannot be used: endless",
  );
});

test('of TLS that fails on the way it is not said that the destination did not prove its identity', (t) => {
  t.regex(attemptError(withCode('EPROTO')).message, /broke before it answered/);
  const refused = unconnected({ reason: 'tls', code: 'CERT_HAS_EXPIRED', certificate: true });
  t.regex(attemptError(refused).message, /identity/);
  t.regex(attemptError(withCode('ECONNRESET', { syscall: 'read' })).message, /^The connection broke/);
});
