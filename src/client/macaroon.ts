import { base64Of, bytesOfBase64 } from './base64.js';
import { hex } from './platform.js';

/** A text that is no macaroon, or a caveat that cannot be appended. */
export class MacaroonError extends Error {
  override readonly name = 'MacaroonError';
}

/** A caveat as it stands in a macaroon. */
export interface InspectedCaveat {
  /** Such as `destination = https://collector.example/in/*`; undefined where it is not UTF-8. */
  readonly text: string | undefined;
  /** Needs another party's discharge: no relay takes one. */
  readonly thirdParty: boolean;
}

/** What a macaroon says. Only its relay can tell whether the signature holds. */
export interface InspectedMacaroon {
  /** Whose jobs those are that are submitted with it; often empty. */
  readonly identifier: string;
  /** A hint for the holder, which nobody has signed. */
  readonly location: string;
  /** All of them must be satisfied, in any order. */
  readonly caveats: readonly InspectedCaveat[];
  /** In hex. */
  readonly signature: string;
}

/** The relay's bounds: what is larger, no relay would take. */
const maxTokenLength = 4096;
const maxCaveats = 32;
const signatureBytes = 32;

/**
 * Takes a macaroon apart, offline: libmacaroons' v1 packets in URL-safe base64, as strictly as the relay does.
 * Throws a `MacaroonError` for anything else.
 */
export function inspect(macaroon: string): InspectedMacaroon {
  const { location, identifier, caveats, signature } = decode(macaroon);
  return {
    identifier,
    location,
    caveats: caveats.map(({ text, thirdParty }) => ({ text, thirdParty })),
    signature: hex(signature),
  };
}

/**
 * Appends caveats to a macaroon, offline: no secret is needed, and nobody can take them away again. Rejects with a
 * `MacaroonError` where there is no such macaroon. In a browser, a page that came over HTTPS (or from localhost) is needed.
 */
export async function attenuate(macaroon: string, caveats: string | readonly string[]): Promise<string> {
  const added = (typeof caveats === 'string' ? [caveats] : caveats).map(bytesOf);
  const { head, signature } = decode(macaroon);
  let narrowed = signature;
  for (const caveat of added) narrowed = await hmac(narrowed, caveat);
  const token = base64Of(
    joined([head, ...added.map((caveat) => packet('cid', caveat)), packet('signature', narrowed)]),
    'url',
  );
  // Bounds are the relay's: a macaroon that is too large is refused here rather than there.
  decode(token);
  return token;
}

/** The caveats of a macaroon, or `undefined` where it is none. */
export function packetsOf(macaroon: string): readonly InspectedCaveat[] | undefined {
  try {
    return inspect(macaroon).caveats;
  } catch {
    return undefined;
  }
}

/** Whether the `path` caveats of a macaroon allow a path. What is no macaroon forbids nothing: its relay will say so. */
export function allowsPath(macaroon: string, path: string): boolean {
  return (packetsOf(macaroon) ?? []).every(({ text = '' }) => {
    const [, value] = /^path = (.*)$/s.exec(text) ?? [];
    if (value === undefined) return true;
    return value.endsWith('*') ? path.startsWith(value.slice(0, -1)) : value === path;
  });
}

interface Decoded {
  readonly location: string;
  readonly identifier: string;
  readonly caveats: readonly InspectedCaveat[];
  readonly signature: Uint8Array<ArrayBuffer>;
  /** Everything before the signature. */
  readonly head: Uint8Array<ArrayBuffer>;
}

interface Packet {
  readonly key: string;
  readonly value: Uint8Array<ArrayBuffer>;
  readonly start: number;
}

function decode(token: string): Decoded {
  if (token.length > maxTokenLength) throw malformed(`it is longer than ${maxTokenLength} characters`);
  const bytes = bytesOfBase64(token, 'url');
  if (bytes === undefined) throw malformed('it is not URL-safe base64');
  const [first, second, ...rest] = splitPackets(bytes);
  const last = rest.pop();
  if (first?.key !== 'location') throw malformed('its first packet is not a location');
  if (second?.key !== 'identifier') throw malformed('its second packet is not an identifier');
  if (last?.key !== 'signature') throw malformed('its last packet is not a signature');
  if (last.value.length !== signatureBytes) {
    throw malformed(`its signature is not ${signatureBytes} bytes long`);
  }
  const location = textOf(first.value);
  const identifier = textOf(second.value);
  if (location === undefined) throw malformed('its location is not UTF-8');
  if (identifier === undefined) throw malformed('its identifier is not UTF-8');
  const caveats = readCaveats(rest);
  return { location, identifier, caveats, signature: last.value, head: bytes.subarray(0, last.start) };
}

function splitPackets(bytes: Uint8Array<ArrayBuffer>): readonly Packet[] {
  const packets: Packet[] = [];
  let start = 0;
  while (start < bytes.length) {
    const size = String.fromCharCode(...bytes.subarray(start, start + 4));
    const end = start + (/^[0-9a-f]{4}$/.test(size) ? parseInt(size, 16) : 0);
    const space = bytes.indexOf(0x20, start + 4);
    if (space === -1 || space >= end - 1 || bytes[end - 1] !== 0x0a) {
      throw malformed('it is not a sequence of whole packets');
    }
    const key = String.fromCharCode(...bytes.subarray(start + 4, space));
    packets.push({ key, value: bytes.subarray(space + 1, end - 1), start });
    start = end;
  }
  return packets;
}

/** `(cid [vid [cl]])*` and nothing else: a packet that one reader skips, another might believe. */
function readCaveats(packets: readonly Packet[]): readonly InspectedCaveat[] {
  const keys = packets.map(({ key }) => key);
  if (!/^(?:cid(?: vid(?: cl)?)? )*$/.test(keys.map((key) => `${key} `).join(''))) {
    throw malformed('between identifier and signature stands something but caveats');
  }
  if (packets.some(({ key, value }) => key === 'cl' && textOf(value) === undefined)) {
    throw malformed('the location of a caveat is not UTF-8');
  }
  const caveats = packets.flatMap(({ key, value }, at) =>
    key === 'cid' ? [{ text: textOf(value), thirdParty: keys[at + 1] === 'vid' }] : [],
  );
  if (caveats.length > maxCaveats) throw malformed(`it has more than ${maxCaveats} caveats`);
  return caveats;
}

function malformed(reason: string): MacaroonError {
  return new MacaroonError(`this is not a macaroon: ${reason}`);
}

function packet(key: string, value: Uint8Array): Uint8Array {
  const size = (4 + key.length + 1 + value.length + 1).toString(16).padStart(4, '0');
  return joined([new TextEncoder().encode(`${size}${key} `), value, Uint8Array.of(0x0a)]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  if (!text.isWellFormed()) throw new MacaroonError('a caveat holds half of a surrogate pair');
  return new TextEncoder().encode(text);
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

async function hmac(
  keyBytes: Uint8Array<ArrayBuffer>,
  message: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const subtle: unknown = Reflect.get(crypto, 'subtle');
  if (subtle === undefined) {
    throw new MacaroonError('this page has no WebCrypto: browsers offer it to pages that came over HTTPS');
  }
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', keyBytes, algorithm, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, message));
}
