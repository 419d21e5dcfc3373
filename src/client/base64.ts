type Alphabet = 'standard' | 'url';

/** `String.fromCharCode` takes its characters as arguments, of which there may not be too many. */
const chunkBytes = 0x2000;

/** The canonical base64 of some bytes: the URL-safe alphabet goes without padding. */
export function base64Of(bytes: Uint8Array, alphabet: Alphabet): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    binary += String.fromCharCode(...bytes.subarray(at, at + chunkBytes));
  }
  const text = btoa(binary);
  if (alphabet === 'standard') return text;
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** The bytes of canonical base64, whose padding may be missing; `undefined` for anything else. */
export function bytesOfBase64(text: string, alphabet: Alphabet): Uint8Array<ArrayBuffer> | undefined {
  const body = text.replace(/={1,2}$/, '');
  if (body.length !== text.length && text.length % 4 !== 0) return undefined;
  const form = alphabet === 'url' ? /^[\w-]*$/ : /^[\d+/A-Za-z]*$/;
  if (!form.test(body) || body.length % 4 === 1) return undefined;
  const binary = atob(body.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  // Spare bits that are set would give one token several spellings.
  return base64Of(bytes, alphabet).replace(/=+$/, '') === body ? bytes : undefined;
}
