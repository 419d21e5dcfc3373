import { isUtf8 } from 'node:buffer';

/** Longest token, in characters of base64 with its padding. */
export const maxTokenLength = 4096;

/** Most caveats of one macaroon, of either kind. */
export const maxCaveats = 32;

const signatureBytes = 32;

/** A caveat as it stands in the token; what it means is `predicate.ts`'s business. */
export type Caveat =
  | {
      readonly kind: 'first-party';
      readonly cid: Uint8Array;
      /** `cid` as text; `undefined` where it is not UTF-8. */
      readonly text: string | undefined;
    }
  | {
      readonly kind: 'third-party';
      readonly cid: Uint8Array;
      readonly vid: Uint8Array;
      /** Where its discharge is to be had, if the token says so. */
      readonly location: string | undefined;
    };

/** A token taken apart. Nothing in it is to be believed before its signature was checked; `location` not even then. */
export interface Macaroon {
  readonly location: string;
  readonly identifier: string;
  readonly caveats: readonly Caveat[];
  /** HMAC-SHA256, 32 bytes. */
  readonly signature: Uint8Array;
}

export type DecodedMacaroon =
  | { readonly ok: true; readonly macaroon: Macaroon }
  | { readonly ok: false; readonly reason: string };

/**
 * Decodes a v1 macaroon (libmacaroons' binary packets in URL-safe base64), strictly: apart from the optional
 * padding, a macaroon has exactly one spelling. Never throws, whatever the text.
 *
 * Lenient decoders let a token carry packets that nobody signed, which one reader skips and another believes.
 */
export function decodeMacaroon(text: string): DecodedMacaroon {
  if (text.length > maxTokenLength) return malformed(`it is longer than ${maxTokenLength} characters`);
  const bytes = decodeBase64Url(text);
  if (bytes === undefined) return malformed('it is not URL-safe base64');
  const packets = splitPackets(bytes);
  if (packets === undefined) return malformed('it is not a sequence of whole packets');
  return assemble(packets);
}

/** The canonical token of a macaroon: URL-safe base64 without padding. */
export function encodeMacaroon(macaroon: Macaroon): string {
  const packets = [
    encodePacket('location', Buffer.from(macaroon.location)),
    encodePacket('identifier', Buffer.from(macaroon.identifier)),
    ...macaroon.caveats.flatMap(encodeCaveat),
    encodePacket('signature', macaroon.signature),
  ];
  return Buffer.concat(packets).toString('base64url');
}

/** UTF-8 to text, unchanged: a byte order mark stays, and what is not UTF-8 is `undefined`, not U+FFFD. */
export function utf8Text(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes) ? Buffer.from(bytes).toString('utf8') : undefined;
}

function malformed(reason: string): DecodedMacaroon {
  return { ok: false, reason };
}

function decodeBase64Url(text: string): Buffer | undefined {
  const body = text.replace(/={1,2}$/, '');
  if (body.length !== text.length && text.length % 4 !== 0) return undefined;
  const bytes = Buffer.from(body, 'base64url');
  // Buffer skips what it does not know, reads both alphabets and ignores spare bits: only canonical text comes back.
  return bytes.toString('base64url') === body ? bytes : undefined;
}

interface Packet {
  readonly key: string;
  readonly value: Buffer;
}

function splitPackets(bytes: Buffer): readonly Packet[] | undefined {
  const packets: Packet[] = [];
  let start = 0;
  while (start < bytes.length) {
    const header = bytes.toString('latin1', start, start + 4);
    if (!/^[0-9a-f]{4}$/.test(header)) return undefined;
    const end = start + parseInt(header, 16);
    const space = bytes.indexOf(' ', start + 4);
    // Too small a size has no room for key, space and line feed, so every round moves on; too large a one ends
    // where there is no byte at all.
    if (space === -1 || space >= end - 1 || bytes[end - 1] !== 0x0a) return undefined;
    packets.push({
      key: bytes.toString('latin1', start + 4, space),
      value: bytes.subarray(space + 1, end - 1),
    });
    start = end;
  }
  return packets;
}

/** `location identifier (cid [vid [cl]])* signature`, in this order and nothing else. */
function assemble(packets: readonly Packet[]): DecodedMacaroon {
  const [first, second, ...rest] = packets;
  const last = rest.pop();
  if (first?.key !== 'location') return malformed('its first packet is not a location');
  if (second?.key !== 'identifier') return malformed('its second packet is not an identifier');
  if (last?.key !== 'signature') return malformed('its last packet is not a signature');
  if (last.value.length !== signatureBytes)
    return malformed(`its signature is not ${signatureBytes} bytes long`);
  const location = utf8Text(first.value);
  const identifier = utf8Text(second.value);
  if (location === undefined) return malformed('its location is not UTF-8');
  if (identifier === undefined) return malformed('its identifier is not UTF-8');
  const caveats = readCaveats(rest);
  if (caveats === undefined)
    return malformed('between identifier and signature stands something but caveats');
  if (caveats.length > maxCaveats) return malformed(`it has more than ${maxCaveats} caveats`);
  return { ok: true, macaroon: { location, identifier, caveats, signature: last.value } };
}

function readCaveats(packets: readonly Packet[]): readonly Caveat[] | undefined {
  const caveats: Caveat[] = [];
  let at = 0;
  while (at < packets.length) {
    const cid = packets[at++];
    if (cid?.key !== 'cid') return undefined;
    const vid = packets[at];
    if (vid?.key !== 'vid') {
      caveats.push({ kind: 'first-party', cid: cid.value, text: utf8Text(cid.value) });
      continue;
    }
    const cl = packets[++at];
    const location = cl?.key === 'cl' ? utf8Text(cl.value) : undefined;
    if (cl?.key === 'cl') {
      if (location === undefined) return undefined;
      at += 1;
    }
    caveats.push({ kind: 'third-party', cid: cid.value, vid: vid.value, location });
  }
  return caveats;
}

function encodeCaveat(caveat: Caveat): readonly Buffer[] {
  const packets = [encodePacket('cid', caveat.cid)];
  if (caveat.kind === 'first-party') return packets;
  packets.push(encodePacket('vid', caveat.vid));
  if (caveat.location !== undefined) packets.push(encodePacket('cl', Buffer.from(caveat.location)));
  return packets;
}

function encodePacket(key: string, value: Uint8Array): Buffer {
  const size = 4 + key.length + 1 + value.length + 1;
  const head = `${size.toString(16).padStart(4, '0')}${key} `;
  return Buffer.concat([Buffer.from(head), value, Buffer.from('\n')]);
}
