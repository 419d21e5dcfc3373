const longest = 80;

/**
 * A text that somebody typed, for an error message: on one line, not too long, with nothing in it that a terminal
 * would act on, and without the password of a URL.
 */
export function quote(text: string): string {
  const masked = text.replace(/\/\/[^/?#]*@/, '//[redacted]@');
  const cut = masked.length > longest ? `${masked.slice(0, longest)}…` : masked;
  return JSON.stringify(cut.toWellFormed()).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`;
  });
}
