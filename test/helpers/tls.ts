import { readFileSync } from 'node:fs';

/** A certificate and its key, in one PEM, as made by test/fixtures/tls/generate.sh. */
export type TestCertificate = 'localhost' | 'expired' | 'other_name' | 'self_signed';

/**
 * What a TLS server needs to present one of the test certificates. `localhost` is the good one: signed by the
 * test CA for `localhost`, `good.test`, names below both, 127.0.0.1 and ::1.
 */
export function serverTls(certificate: TestCertificate): { readonly cert: string; readonly key: string } {
  const pem = readFileSync(`test/fixtures/tls/${certificate}.pem`, 'utf8');
  return { cert: pem, key: pem };
}

/** The certificate of the test CA. */
export function testCa(): string {
  return readFileSync('test/fixtures/tls/ca.pem', 'utf8');
}
