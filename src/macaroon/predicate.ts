import { parseRfc3339 } from './rfc3339.js';
import { type Caveat, utf8Text } from './token.js';

/** What a request wants of a job. */
type Action = 'submit' | 'poll' | 'cancel';

/**
 * A caveat, read once. `text` is what a person is shown. Which request satisfies which predicate is decided in
 * `caveats.ts`.
 */
export type Predicate =
  | { readonly kind: 'target'; readonly text: string; readonly name: string }
  | {
      readonly kind: 'path';
      readonly text: string;
      readonly path: string;
      /** What stands before a final `*`; `undefined` where the path has none. */
      readonly prefix: string | undefined;
    }
  /** `method` in upper case. */
  | { readonly kind: 'method'; readonly text: string; readonly method: string }
  | { readonly kind: 'destination'; readonly text: string; readonly pattern: string }
  | { readonly kind: 'time'; readonly text: string; readonly expiresAtMs: number }
  /** `jobId` in lower case. */
  | { readonly kind: 'job'; readonly text: string; readonly jobId: string }
  | { readonly kind: 'action'; readonly text: string; readonly actions: readonly Action[] }
  | { readonly kind: 'bytes'; readonly text: string; readonly maxBytes: number }
  /** `digestHex` in lower case. */
  | { readonly kind: 'sha256'; readonly text: string; readonly digestHex: string }
  /** Not understood, so never satisfied; `reason` says what was. */
  | { readonly kind: 'unknown'; readonly text: string; readonly reason: string }
  /** Needs a discharge macaroon, which the relay takes none of: never satisfied. */
  | { readonly kind: 'third-party'; readonly text: string };

type Parser = (value: string, text: string) => Predicate;

/** Key and operator of every caveat there is, and how its value is read. */
const parsers: ReadonlyMap<string, Parser> = new Map<string, Parser>([
  ['target =', (name, text) => ({ kind: 'target', text, name })],
  ['path =', parsePath],
  ['method =', parseMethod],
  ['destination =', (pattern, text) => ({ kind: 'destination', text, pattern })],
  ['time <', parseTime],
  ['job =', parseJob],
  ['action =', parseAction],
  ['bytes <=', parseBytes],
  ['sha256 =', parseSha256],
]);

const knownCaveats = [...parsers.keys()].map((head) => `"${head} …"`).join(', ');

/**
 * Reads a first-party caveat: key, operator and value with exactly one space between them. Anything written another
 * way is `unknown`, because a caveat that two readers could read differently must not let anything through.
 */
export function parseCaveat(text: string): Predicate {
  const [, head = '', value = ''] = /^(\S+ \S+) (.*)$/s.exec(text) ?? [];
  const parser = parsers.get(head);
  if (parser === undefined) {
    return unknown(text, `this relay understands only ${knownCaveats}, with these spaces`);
  }
  if (value === '' || value.trim() !== value) {
    return unknown(text, `"${head}" must be followed by one space and a value without spaces around it`);
  }
  return parser(value, text);
}

/** Reads a caveat of either kind. */
export function toPredicate(caveat: Caveat): Predicate {
  if (caveat.kind === 'third-party') {
    return { kind: 'third-party', text: `third-party caveat ${utf8Text(caveat.cid) ?? hex(caveat.cid)}` };
  }
  if (caveat.text === undefined) return unknown(hex(caveat.cid), 'it is not UTF-8');
  return parseCaveat(caveat.text);
}

function unknown(text: string, reason: string): Predicate {
  return { kind: 'unknown', text, reason };
}

function hex(bytes: Uint8Array): string {
  const shownBytes = 32;
  const digits = Buffer.from(bytes.subarray(0, shownBytes)).toString('hex');
  return `0x${digits}${bytes.length > shownBytes ? '…' : ''}`;
}

function parsePath(path: string, text: string): Predicate {
  return { kind: 'path', text, path, prefix: path.endsWith('*') ? path.slice(0, -1) : undefined };
}

function parseMethod(value: string, text: string): Predicate {
  // Letters only: outside ASCII, upper case has surprises ("ſ" becomes "S").
  if (!/^[A-Z]+$/i.test(value)) return unknown(text, 'its method must be letters, such as POST');
  return { kind: 'method', text, method: value.toUpperCase() };
}

function parseTime(value: string, text: string): Predicate {
  const expiresAtMs = parseRfc3339(value);
  if (expiresAtMs === undefined) {
    return unknown(text, 'its time must be RFC 3339 with a zone, such as 2030-01-31T12:00:00Z');
  }
  return { kind: 'time', text, expiresAtMs };
}

function parseJob(value: string, text: string): Predicate {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) {
    return unknown(text, "its job must be a job's id, a UUID");
  }
  return { kind: 'job', text, jobId: value.toLowerCase() };
}

function parseAction(value: string, text: string): Predicate {
  const words = value.split('|');
  // All or none: of "submit|read" the relay cannot know what the second half was to restrict.
  if (!words.every(isAction))
    return unknown(text, 'its actions must be of submit, poll, cancel, with | between');
  return { kind: 'action', text, actions: words };
}

function isAction(word: string): word is Action {
  return word === 'submit' || word === 'poll' || word === 'cancel';
}

function parseBytes(value: string, text: string): Predicate {
  if (!/^(?:0|[1-9]\d*)$/.test(value)) return unknown(text, 'its bytes must be a plain decimal number');
  return { kind: 'bytes', text, maxBytes: Number(value) };
}

function parseSha256(value: string, text: string): Predicate {
  if (!/^[0-9a-f]{64}$/i.test(value)) return unknown(text, 'its digest must be 64 hexadecimal digits');
  return { kind: 'sha256', text, digestHex: value.toLowerCase() };
}
