import { createHash } from 'node:crypto';

/**
 * One line of the record is one JSON object with a line feed behind it:
 *
 * ```
 * {"seq":7,"time":"…","kind":"export", …, "prev":"<hash of line 6>","hash":"<hash of line 7>"}
 * ```
 *
 * `hash` is the SHA-256 (hex) of all bytes of the line before `,"hash":`. So a line that was changed is known by
 * itself, and one that is missing, moved or exchanged by the line behind it. A checkpoint has an ed25519 signature
 * (`sig`, base64) of all its bytes before `,"sig":`, and through `prev` of every line up to it.
 */
export interface Line {
  /** Counts the lines of the record, through all its files, from 1 on. */
  readonly seq: number;
  /** RFC 3339, UTC, ms. */
  readonly time: string;
  readonly kind: string;
  /** `hash` of the line before it. */
  readonly prev: string;
  readonly hash: string;
  /** Everything in the line. */
  readonly members: Readonly<Record<string, unknown>>;
  /** Of a checkpoint: what is signed, and the signature. */
  readonly signed: Signed | undefined;
}

export interface Signed {
  readonly content: Buffer;
  readonly signature: Buffer;
}

/** What a line says; `undefined` is left out. */
export type Members = Readonly<Record<string, unknown>>;

export type Sign = (content: Buffer) => Buffer;

/** The `prev` of the first line of a record. */
export const noHash = '0'.repeat(64);

/** More than any line takes; what is longer is no line of a record, and never held in memory as a whole. */
export const maxLineBytes = 32 * 1024;

const signedContext = Buffer.from('export-relay audit checkpoint\n');

/** Writes a line, its line feed included. With `sign` it is a checkpoint. */
export function sealLine(
  { seq, time, kind, prev }: Pick<Line, 'seq' | 'time' | 'kind' | 'prev'>,
  members: Members,
  sign?: Sign,
): { readonly text: string; readonly hash: string } {
  let body = onOneLine(JSON.stringify({ seq, time, kind, ...members, prev })).slice(0, -1);
  if (sign !== undefined) {
    const signature = sign(Buffer.concat([signedContext, Buffer.from(body)]));
    body += `,"sig":"${signature.toString('base64')}"`;
  }
  const hash = sha256Hex(body);
  return { text: `${body},"hash":"${hash}"}\n`, hash };
}

const hashTail = /^,"hash":"([0-9a-f]{64})"\}$/;
const hashTailBytes = 75;
const signatureTail = /^,"sig":"([0-9A-Za-z+/]{86}==)"$/;
const signatureTailBytes = 97;
const hex64 = /^[0-9a-f]{64}$/;

/** Reads a line, without its line feed; `undefined` if it is not as it was sealed. */
export function openLine(bytes: Buffer): Line | undefined {
  if (bytes.length > maxLineBytes || bytes.length < hashTailBytes) return undefined;
  const body = bytes.subarray(0, -hashTailBytes);
  const [, hash] = hashTail.exec(bytes.toString('latin1', body.length)) ?? [];
  if (hash === undefined || sha256Hex(body) !== hash) return undefined;
  const members = parseObject(bytes.toString());
  if (members === undefined) return undefined;
  const { seq, time, kind, prev } = members;
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 1) return undefined;
  if (typeof time !== 'string' || typeof kind !== 'string') return undefined;
  if (typeof prev !== 'string' || !hex64.test(prev)) return undefined;
  return { seq, time, kind, prev, hash, members, signed: readSignature(body) };
}

function readSignature(body: Buffer): Signed | undefined {
  const content = body.subarray(0, -signatureTailBytes);
  const [, signature] = signatureTail.exec(body.toString('latin1', content.length)) ?? [];
  if (signature === undefined) return undefined;
  return { content: Buffer.concat([signedContext, content]), signature: Buffer.from(signature, 'base64') };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function sha256Hex(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Characters that some reader takes for a line's end, or that make a person read another text than there is. */
const misleading = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Writes them in JSON as escapes; JSON.stringify has escaped the control characters below U+0020. */
function onOneLine(json: string): string {
  return json.replace(misleading, (character) =>
    Array.from(
      { length: character.length },
      (_none, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}
