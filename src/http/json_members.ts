/**
 * The text of one member of a JSON object, exactly as it was sent, or `undefined` if there is none. Of repeated
 * members the last counts, as for `JSON.parse`.
 *
 * `JSON.parse` loses precision and key order, and what a client sends is delivered byte for byte; so `data` that is
 * a bare object or array is cut out of the request. `text` must have passed `JSON.parse` as an object already: this
 * walks valid JSON and checks nothing.
 */
export function memberText(text: string, name: string): string | undefined {
  let found: string | undefined;
  let at = text.indexOf('{') + 1;
  for (;;) {
    at = skipSpace(text, at);
    if (text[at] !== '"') return found;
    const keyEnd = skipString(text, at);
    const key: unknown = JSON.parse(text.slice(at, keyEnd));
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = skipValue(text, start);
    if (key === name) found = text.slice(start, end);
    at = skipSpace(text, end);
    if (text[at] !== ',') return found;
    at += 1;
  }
}

const space = /[ \t\n\r]*/y;
const scalar = /[^,}\] \t\n\r]*/y;
const [quotationMark, openBrace, closeBrace, openBracket, closeBracket] = [0x22, 0x7b, 0x7d, 0x5b, 0x5d];

function skipSpace(text: string, at: number): number {
  space.lastIndex = at;
  space.test(text);
  return space.lastIndex;
}

/** The position after a string that starts at `at`. */
function skipString(text: string, at: number): number {
  let end = at;
  do end = text.indexOf('"', end + 1);
  while (isEscaped(text, end));
  return end + 1;
}

/** Whether an odd number of backslashes stands before a position. */
function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text[at - 1 - backslashes] === '\\') backslashes += 1;
  return backslashes % 2 === 1;
}

/** The position after a value that starts at `at`. Walks depth with a counter: nesting may be very deep. */
function skipValue(text: string, at: number): number {
  const first = text[at];
  if (first === '"') return skipString(text, at);
  if (first !== '{' && first !== '[') {
    scalar.lastIndex = at;
    scalar.test(text);
    return scalar.lastIndex;
  }
  let depth = 0;
  for (let end = at; end < text.length; end += 1) {
    const code = text.charCodeAt(end);
    if (code === quotationMark) end = skipString(text, end) - 1;
    else if (code === openBrace || code === openBracket) depth += 1;
    else if (code === closeBrace || code === closeBracket) {
      depth -= 1;
      if (depth === 0) return end + 1;
    }
  }
  throw new Error('not valid JSON');
}
