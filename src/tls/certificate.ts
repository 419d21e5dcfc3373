import { X509Certificate, createPrivateKey } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { readBoundedFile } from '../bounded_file.js';
import type { Clock } from '../clock.js';

/** A certificate (with its chain) and its key, checked to belong together. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export type LoadedCertificate =
  | { readonly ok: true; readonly certificate: Certificate }
  | { readonly ok: false; readonly reason: string };

/** How often the file is looked at: it is replaced days apart, and nobody waits for it. */
const lookEveryMs = 5000;

/** Reads a PEM file that holds certificate and key, in any order. */
export async function loadCertificate(path: string): Promise<LoadedCertificate> {
  const file = await readBoundedFile(path);
  switch (file.kind) {
    case 'content':
      return parseCertificate(file.content.toString('utf8'));
    case 'missing':
      return { ok: false, reason: 'does not exist' };
    case 'unusable':
      return { ok: false, reason: file.reason };
  }
}

/** Checks what a server would find out only when the first client comes. */
function parseCertificate(pem: string): LoadedCertificate {
  try {
    const certificate = new X509Certificate(pem);
    const key = createPrivateKey(pem);
    if (!certificate.checkPrivateKey(key))
      return { ok: false, reason: 'has a key that is not its certificate’s' };
    createSecureContext({ cert: pem, key: pem });
    return { ok: true, certificate: { cert: pem, key: pem } };
  } catch {
    // What OpenSSL says may quote the file.
    return { ok: false, reason: 'does not hold a certificate and its key in PEM' };
  }
}

export interface WatchOptions {
  readonly path: string;
  readonly clock: Clock;
  /** The file has changed and is good. */
  readonly onChange: (certificate: Certificate) => void;
  /** The file has changed and is not good: the certificate in use stays. Told once for each change. */
  readonly onMistake: (reason: string) => void;
}

/**
 * Looks at the file again and again, since container platforms replace files in ways that file system events miss
 * (a link pointed elsewhere, a mount from outside). Returns a function that ends it.
 */
export function watchCertificate({ path, clock, onChange, onMistake }: WatchOptions): () => void {
  let seen: string | undefined;
  let cancel = (): void => undefined;
  let stopped = false;
  const look = async (): Promise<void> => {
    const now = await fingerprint(path);
    if (seen !== undefined && now !== seen) {
      const loaded = await loadCertificate(path);
      if (!stopped) {
        if (loaded.ok) onChange(loaded.certificate);
        else onMistake(loaded.reason);
      }
    }
    seen = now;
    if (!stopped) cancel = clock.after(lookEveryMs, () => void look());
  };
  void look();
  return () => {
    stopped = true;
    cancel();
  };
}

/** What changes when the file does; a file that is missing has a fingerprint too. */
async function fingerprint(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  }
}
