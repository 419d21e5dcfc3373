import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readBoundedFile } from '../bounded_file.js';
import { syncDirectory } from '../journal/storage.js';
import type { Sign, Signed } from './line.js';

/** What checkpoints are signed with. */
export interface SigningKey {
  readonly sign: Sign;
  readonly publicKey: PublicKey;
  /** Whether it was made just now. */
  readonly fresh: boolean;
}

/** What checkpoints are checked with. */
export interface PublicKey {
  readonly verify: (signed: Signed) => boolean;
  /** SHA-256 of the key in its DER form (SPKI), in hex. */
  readonly fingerprint: string;
}

type Loaded<Key> =
  | { readonly ok: true; readonly key: Key }
  /** Names the file and what to do. */
  | { readonly ok: false; readonly detail: string };

/** The key in `FILE.key`, made with `FILE.pub` if there is none yet. The record must be locked. */
export async function loadSigningKey(path: string): Promise<Loaded<SigningKey>> {
  const file = await readBoundedFile(`${path}.key`);
  if (file.kind === 'unusable') return refused(`${path}.key ${file.reason}`);
  if (file.kind === 'missing') return makeKey(path);
  const { mode } = await stat(`${path}.key`);
  if ((mode & 0o077) !== 0) {
    return refused(
      `${path}.key, which signs the audit record, can be read by others. Make sure nobody has, then chmod 600 it`,
    );
  }
  const privateKey = ed25519(() => createPrivateKey(file.content));
  if (privateKey === undefined) return refused(`${path}.key is not an ed25519 private key in PEM`);
  const key = signingKey(privateKey, false);
  const known = await loadPublicKey(`${path}.pub`);
  if (known.ok && known.key.fingerprint !== key.publicKey.fingerprint) {
    return refused(`${path}.pub is not the public key of ${path}.key. Put the right one back`);
  }
  if (!known.ok) await writeWhole(`${path}.pub`, publicPem(privateKey), 0o644);
  return { ok: true, key };
}

async function makeKey(path: string): Promise<Loaded<SigningKey>> {
  if ((await readBoundedFile(`${path}.pub`)).kind !== 'missing') {
    return refused(
      `${path}.key is missing, but ${path}.pub is there. Put the key back, or move the record, the files ${path}*, away to begin a new one`,
    );
  }
  const { privateKey } = generateKeyPairSync('ed25519');
  await writeWhole(`${path}.key`, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600);
  await writeWhole(`${path}.pub`, publicPem(privateKey), 0o644);
  return { ok: true, key: signingKey(privateKey, true) };
}

/** A public key in PEM. */
export async function loadPublicKey(file: string): Promise<Loaded<PublicKey>> {
  const found = await readBoundedFile(file);
  if (found.kind === 'missing') return refused(`there is no ${file}`);
  if (found.kind === 'unusable') return refused(`${file} ${found.reason}`);
  const key = ed25519(() => createPublicKey(found.content));
  return key === undefined
    ? refused(`${file} is not an ed25519 public key in PEM`)
    : { ok: true, key: publicKeyOf(key) };
}

export function signingKey(privateKey: KeyObject, fresh: boolean): SigningKey {
  return {
    sign: (content) => sign(null, content, privateKey),
    publicKey: publicKeyOf(createPublicKey(privateKey)),
    fresh,
  };
}

function publicKeyOf(key: KeyObject): PublicKey {
  return {
    verify: ({ content, signature }) => verify(null, content, key, signature),
    fingerprint: createHash('sha256')
      .update(key.export({ type: 'spki', format: 'der' }))
      .digest('hex'),
  };
}

function publicPem(privateKey: KeyObject): string {
  return createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
}

function ed25519(read: () => KeyObject): KeyObject | undefined {
  try {
    const key = read();
    return key.asymmetricKeyType === 'ed25519' ? key : undefined;
  } catch {
    return undefined;
  }
}

/** A file that is there as a whole or not at all, whenever the process or the machine stops. */
async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  const unfinished = `${path}.tmp`;
  await rm(unfinished, { force: true });
  // Only a file of our own making: one that somebody else has opened or linked here before would show them the key.
  const handle = await open(unfinished, 'wx', mode);
  try {
    // Whatever the umask says.
    await handle.chmod(mode);
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(unfinished, path);
  await syncDirectory(dirname(path));
}

function refused(detail: string): { readonly ok: false; readonly detail: string } {
  return { ok: false, detail };
}
