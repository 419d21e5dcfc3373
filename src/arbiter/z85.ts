const alphabet = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';
const keyLength = 40;

/** What keeps a text from being a CURVE public key: 32 bytes as 40 characters of Z85 (ZeroMQ RFC 32). */
export function curveKeyMistake(text: string): string | undefined {
  if (text === '')
    return 'ZMQ_PUBLIC_KEY is not among the secret files, or empty: a tcp:// arbiter needs its key';
  if (text.length === keyLength && groups(text).every(isGroup)) return undefined;
  return `ZMQ_PUBLIC_KEY must be ${keyLength} characters of Z85, the arbiter's public key`;
}

function groups(text: string): readonly string[] {
  return text.match(/.{5}/gsu) ?? [];
}

/** Five digits of base 85 stand for four bytes; the largest ones would need more. */
function isGroup(group: string): boolean {
  const digits = Array.from(group, (character) => alphabet.indexOf(character));
  return !digits.includes(-1) && digits.reduce((value, digit) => value * 85 + digit, 0) <= 0xffff_ffff;
}
