import test from 'ava';
import { codeOf, ConnectError, type ConnectFailure, tlsFailure } from '#relay/delivery/connect_error.js';

const unresolvable = 'a.test does not resolve to an address that exports may reach';

const failures: readonly (readonly [failure: ConnectFailure, message: string])[] = [
  [
    { reason: 'refused_address', rule: 'private', host: 'literal', address: '10.0.0.5' },
    'a.test is not an address that exports may reach',
  ],
  [{ reason: 'refused_address', rule: 'private', host: 'name', address: '10.0.0.5' }, unresolvable],
  [{ reason: 'dns', code: 'ENOTFOUND' }, unresolvable],
  [{ reason: 'connect', code: 'ECONNREFUSED' }, 'no connection to a.test (ECONNREFUSED)'],
  [{ reason: 'tls', code: 'EPROTO', certificate: false }, 'no TLS session with a.test (EPROTO)'],
  [{ reason: 'timeout', during: 'tls' }, 'no connection to a.test in time (tls)'],
];

for (const [failure, message] of failures) {
  test(`${JSON.stringify(failure)} reads: ${message}`, (t) => {
    const cause = new Error('the reason');
    const error = new ConnectError('a.test', failure, { cause });
    t.is(error.message, message);
    t.is(error.name, 'ConnectError');
    t.is(error.failure, failure);
    t.is(error.cause, cause);
  });
}

test('the code of an error is a text, or it is not known', (t) => {
  const systems = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  t.is(codeOf(systems), 'ECONNREFUSED');
  for (const other of [
    Object.assign(new Error('a number'), { code: 7 }),
    new Error('none'),
    { code: 'E' },
    undefined,
  ]) {
    t.is(codeOf(other), 'unknown');
  }
});

for (const code of ['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH']) {
  test(`${code} before the TLS session stands is a failure to connect`, (t) => {
    t.deepEqual(tlsFailure(Object.assign(new Error('write'), { code })), { reason: 'connect', code });
  });
}

for (const [code, certificate] of [
  ['ERR_TLS_CERT_ALTNAME_INVALID', true],
  ['ERR_TLS_CERT_ALTNAME_FORMAT', true],
  ['CERT_HAS_EXPIRED', true],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', true],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', true],
  ['HOSTNAME_MISMATCH', true],
  ['ERR_SSL_WRONG_VERSION_NUMBER', false],
  ['ERR_TLS_HANDSHAKE_TIMEOUT', false],
  ['EPROTO', false],
  ['unknown', false],
] as const) {
  test(`${code} is a failure of TLS${certificate ? ', for the certificate' : ''}`, (t) => {
    const error = code === 'unknown' ? new Error('no code') : Object.assign(new Error('tls'), { code });
    t.deepEqual(tlsFailure(error), { reason: 'tls', code, certificate });
  });
}
