import { decodeMacaroon } from './token.js';

/**
 * Why a text is no macaroon, as precisely as whoever pasted it needs to know: a clause about "it". `undefined` for a
 * text that is one. The relay itself says less, as it answers strangers.
 */
export function whyUndecodable(text: string): string | undefined {
  const decoded = decodeMacaroon(text);
  return decoded.ok
    ? undefined
    : (mistakeInCopying(text) ?? otherFormat(text) ?? brokenPacket(text) ?? decoded.reason);
}

function mistakeInCopying(text: string): string | undefined {
  if (text === '') return 'it is empty';
  if (/\s/.test(text)) return 'there is white space in it: was it broken into lines when it was copied?';
  if (text.startsWith('macaroon.')) {
    return 'it begins with "macaroon.", which belongs to the subprotocol of a WebSocket and not to the macaroon';
  }
  if (/^["'].*["']$/.test(text)) return 'it stands in quotation marks';
  const stray = /[^A-Za-z0-9_\-+/=]/u.exec(text);
  if (stray !== null) {
    return `its character ${stray.index + 1}, ${JSON.stringify(stray[0])}, is none of URL-safe base64`;
  }
  const digits = text.replace(/=+$/, '').length;
  if (digits % 4 === 1) return `no base64 has ${digits} digits: a character was lost or added`;
  return /[+/]/.test(text)
    ? 'it is written in the base64 alphabet with + and /: a macaroon is written with - and _ in their place'
    : undefined;
}

function otherFormat(text: string): string | undefined {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes[0] === 2) return 'it is a macaroon of version 2: the relay reads version 1';
  return bytes[0] === 0x7b
    ? 'it holds JSON: a macaroon that the relay reads has the binary version 1'
    : undefined;
}

/** Where the first packet that is none begins; `undefined` where all are whole. */
function brokenPacket(text: string): string | undefined {
  const bytes = Buffer.from(text, 'base64url');
  let start = 0;
  for (let number = 1; start < bytes.length; number += 1) {
    const header = bytes.toString('latin1', start, start + 4);
    const left = bytes.length - start;
    const place = `its packet ${number}, at byte ${start},`;
    if (left < 4 && number > 1) return `${place} has only ${left} bytes: was its end cut off?`;
    if (!/^[0-9a-f]{4}$/.test(header)) {
      return number === 1
        ? 'it does not begin like a macaroon, with the length of a packet'
        : `${place} does not begin with four hexadecimal digits for its length`;
    }
    const size = parseInt(header, 16);
    if (size > left)
      return `${place} says it is ${size} bytes long and only ${left} are left: was its end cut off?`;
    if (size < 7 || bytes[start + size - 1] !== 0x0a) return `${place} does not end in a line feed`;
    start += size;
  }
  return undefined;
}
