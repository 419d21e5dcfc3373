import { nearest } from './nearest.js';
import { quote } from './quote.js';

/** As much of a flag as it takes to find it and its values on a command line; a `Setting` has all of it. */
export interface FlagShape {
  readonly flag: string;
  readonly short?: string;
  readonly kind: 'value' | 'list' | 'switch';
  readonly once?: boolean;
  readonly secret: boolean;
  readonly expected: string;
}

/** Something wrong on the command line or in a setting, as a line for whoever wrote it. */
export interface Mistake {
  /** Whether the command line itself is wrong, rather than the value of a setting. */
  readonly usage: boolean;
  readonly message: string;
}

export interface FlagsRead {
  /** By flag, the texts given for it, in order; empty where a flag stood without the value it needs. */
  readonly given: ReadonlyMap<string, readonly string[]>;
  /** Words that belong to no flag, in order; empty where a command takes none, as they are mistakes then. */
  readonly operands: readonly string[];
  readonly mistakes: readonly Mistake[];
}

/**
 * Finds flags and their values: `--flag VALUE`, `--flag=VALUE`, `-f VALUE`, `-fVALUE`, and for switches `--flag`,
 * `--no-flag` and `--flag=WORD`. A value that begins with a dash has to be attached with `=`, so that a forgotten
 * value does not swallow the next flag. All mistakes are found in one go; none quotes what may be a secret.
 *
 * With `takesOperands`, words that belong to no flag are operands, and so is all that follows `--`.
 */
export function readFlags(
  argv: readonly string[],
  shapes: readonly FlagShape[],
  { takesOperands = false } = {},
): FlagsRead {
  const given = new Map<string, string[]>();
  const end = takesOperands && argv.includes('--') ? argv.indexOf('--') : argv.length;
  const operands: string[] = [];
  const mistakes: Mistake[] = [];
  let previous: Token | undefined;
  for (const token of tokens(argv.slice(0, end), shapes)) {
    if (token.kind === 'argument' && takesOperands) {
      operands.push(token.text);
    } else if (token.kind === 'unknown' || token.kind === 'argument') {
      mistakes.push({ usage: true, message: describe(token, previous) });
    } else {
      const { shape } = token;
      const texts = given.get(shape.flag) ?? [];
      given.set(shape.flag, texts);
      if (shape.once === true && texts.length > 0) {
        mistakes.push({ usage: true, message: `--${shape.flag}: given more than once` });
      }
      if (token.kind === 'value') texts.push(token.text);
      else mistakes.push({ usage: false, message: missingValue(token) });
    }
    previous = token;
  }
  return { given, operands: [...operands, ...argv.slice(end + 1)], mistakes };
}

type Unknown = { readonly kind: 'unknown'; readonly written: string; readonly meant: FlagShape | undefined };
type Argument = { readonly kind: 'argument'; readonly text: string };
type Missing = {
  readonly kind: 'missing';
  readonly shape: FlagShape;
  readonly following: string | undefined;
};
type Value = { readonly kind: 'value'; readonly shape: FlagShape; readonly text: string };
type Token = Value | Missing | Unknown | Argument;

/** A word of the command line; `attached` is the value in it, or what a bare switch stands for. */
type Word =
  | { readonly kind: 'flag'; readonly shape: FlagShape; readonly attached: string | undefined }
  | (Unknown & { readonly attached: string | undefined })
  | Argument;

function* tokens(argv: readonly string[], shapes: readonly FlagShape[]): Generator<Token> {
  for (let index = 0; index < argv.length; index += 1) {
    const word = readWord(argv[index] ?? '', shapes);
    const following = word.kind === 'argument' || word.attached !== undefined ? undefined : argv[index + 1];
    if (word.kind === 'argument') {
      yield word;
    } else if (word.kind === 'unknown') {
      // The value of a flag that does not exist is part of the same mistake.
      if (following !== undefined && isValue(following) && word.meant?.kind !== 'switch') index += 1;
      yield word;
    } else if (word.attached !== undefined) {
      yield { kind: 'value', shape: word.shape, text: word.attached };
    } else if (following !== undefined && isValue(following)) {
      index += 1;
      yield { kind: 'value', shape: word.shape, text: following };
    } else {
      // A secret that begins with a dash must not be repeated as an unknown flag.
      if (word.shape.secret && readWord(following ?? '', shapes).kind === 'unknown') index += 1;
      yield { kind: 'missing', shape: word.shape, following };
    }
  }
}

function readWord(word: string, shapes: readonly FlagShape[]): Word {
  if (word === '-' || word === '--' || !word.startsWith('-')) return { kind: 'argument', text: word };
  return word.startsWith('--') ? readLong(word, shapes) : readShort(word, shapes);
}

function readLong(word: string, shapes: readonly FlagShape[]): Word {
  const [, written = '', attached] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
  const shape = shapes.find(({ flag }) => flag === written);
  if (shape !== undefined) return { kind: 'flag', shape, attached: attached ?? bareText(shape) };
  const negated = shapes.find(({ flag, kind }) => kind === 'switch' && written === `no-${flag}`);
  if (negated !== undefined && attached === undefined) {
    return { kind: 'flag', shape: negated, attached: 'false' };
  }
  const flags = shapes.map(({ flag }) => flag);
  const close = nearest(written, flags);
  return {
    kind: 'unknown',
    written: `--${written}`,
    meant: shapes.find(({ flag }) => flag === close),
    attached,
  };
}

function readShort(word: string, shapes: readonly FlagShape[]): Word {
  const shape = shapes.find(({ short }) => short === word[1]);
  const rest = word.length > 2 ? word.slice(2).replace(/^=/, '') : undefined;
  if (shape !== undefined) return { kind: 'flag', shape, attached: rest ?? bareText(shape) };
  // Only the letter is repeated: the rest may be a value.
  return { kind: 'unknown', written: word.slice(0, 2), meant: undefined, attached: rest };
}

function bareText(shape: FlagShape): string | undefined {
  return shape.kind === 'switch' ? 'true' : undefined;
}

/** Whether a word can be the value of the flag before it; a number below zero can, to be refused as a number. */
function isValue(word: string): boolean {
  return !word.startsWith('-') || word === '-' || /^-\.?\d/.test(word);
}

function describe(token: Unknown | Argument, previous: Token | undefined): string {
  if (token.kind === 'unknown') {
    const hint = token.meant === undefined ? 'see --help' : `did you mean --${token.meant.flag}?`;
    return `unknown flag ${quote(token.written).slice(1, -1)}: ${hint}`;
  }
  const switched =
    previous?.kind === 'value' && previous.shape.kind === 'switch' ? previous.shape.flag : undefined;
  const hint = switched === undefined ? '' : `; a word for a switch is attached, --${switched}=…`;
  return `unexpected argument ${whichArgument(token, previous)}: everything is set by flags${hint}`;
}

/** What follows a secret may be a part of it that somebody forgot to quote, and is not repeated. */
function whichArgument({ text }: Argument, previous: Token | undefined): string {
  if (previous?.kind === 'unknown') return `after ${quote(previous.written).slice(1, -1)}`;
  const mayBeSecret = previous !== undefined && previous.kind !== 'argument' && previous.shape.secret;
  return mayBeSecret ? `after --${previous.shape.flag}` : quote(text);
}

function missingValue({ shape, following }: Missing): string {
  const dash = following === undefined ? '' : ` (one that begins with a dash is written --${shape.flag}=…)`;
  return `--${shape.flag}: expects ${shape.expected}; it has no value${dash}`;
}
