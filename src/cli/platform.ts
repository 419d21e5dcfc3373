import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { SecretFetch } from '../arbiter/outcome.js';
import type { Config } from '../config/settings.js';
import { type Certificate, loadCertificate } from '../tls/certificate.js';

/** What the platform provides beside flags and variables. */
export interface Platform {
  /** How to get the macaroon secret, where none was configured. */
  readonly fetchSecret: SecretFetch | undefined;
  /** For HTTPS; plain HTTP without. */
  readonly tls: { readonly path: string; readonly certificate: Certificate } | undefined;
}

export type FoundPlatform =
  | { readonly ok: true; readonly platform: Platform }
  /** Every file and setting that is missing or cannot be used. */
  | { readonly ok: false; readonly mistakes: readonly string[] };

/** Reads the secret files and prepares what follows from them. Nothing is fetched yet. */
export async function findPlatform(config: Config): Promise<FoundPlatform> {
  const tls = await findTls(config);
  const arbiter = await findArbiter(config);
  if (tls.ok && arbiter.ok) {
    return { ok: true, platform: { fetchSecret: arbiter.fetch, tls: tls.tls } };
  }
  return { ok: false, mistakes: [...(tls.ok ? [] : [tls.mistake]), ...(arbiter.ok ? [] : arbiter.mistakes)] };
}

async function findTls({
  tls,
  secretsDir,
}: Config): Promise<
  { readonly ok: true; readonly tls: Platform['tls'] } | { readonly ok: false; readonly mistake: string }
> {
  const path = tls ?? join(secretsDir, 'DATABOX.pem');
  if (tls === undefined && !(await exists(path))) return { ok: true, tls: undefined };
  const loaded = await loadCertificate(path);
  if (loaded.ok) return { ok: true, tls: { path, certificate: loaded.certificate } };
  return { ok: false, mistake: `--tls: ${path} ${loaded.reason}` };
}

async function findArbiter({
  arbiter,
  secrets,
  dev,
  secretsDir,
  name,
}: Config): Promise<
  | { readonly ok: true; readonly fetch: SecretFetch | undefined }
  | { readonly ok: false; readonly mistakes: readonly string[] }
> {
  if (arbiter === undefined || secrets.length > 0 || dev) return { ok: true, fetch: undefined };
  // Loaded where there is an arbiter to ask.
  const { readSecretFiles } = await import('../arbiter/secret_files.js');
  const { createArbiterFetch } = await import('../arbiter/arbiter_fetch.js');
  const { files, mistakes } = await readSecretFiles(secretsDir);
  const created = await createArbiterFetch({ ...files, endpoint: arbiter, serviceName: name });
  if (mistakes.length === 0 && created.ok) return created;
  return { ok: false, mistakes: [...mistakes, ...(created.ok ? [] : created.mistakes)] };
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
