/** How a terminal shows lines. */
export interface TerminalStyle {
  readonly colours: boolean;
}

/**
 * A JSON line as a person reads it: time of day (UTC), level, message, and the fields as `name=value`. Whatever
 * came from outside is on it as visible characters: no terminal is made to obey it.
 */
export function terminalLine(json: string, style: TerminalStyle): string {
  const line = parsed(json);
  if (line === undefined) return `${visible(json.trimEnd())}\n`;
  const { time, level, msg, ...fields } = line;
  const name = text(level);
  const shown = [
    paint(text(time).slice(11, 23), dim, style),
    paint(name.padEnd(5), colourOf(name), style),
    visible(text(msg)),
    ...Object.entries(fields).map(([field, value]) => `${visible(field)}=${shownValue(value)}`),
  ];
  return `${shown.join(' ')}\n`;
}

const dim = 2;
const yellow = 33;
const red = 31;

function colourOf(level: string): number | undefined {
  if (level === 'warn') return yellow;
  return level === 'error' || level === 'fatal' ? red : undefined;
}

/** `style` is a parameter of the control sequence SGR (ECMA-48, 8.3.117). */
function paint(shown: string, sgr: number | undefined, { colours }: TerminalStyle): string {
  return colours && sgr !== undefined ? `\u001b[${sgr}m${visible(shown)}\u001b[0m` : visible(shown);
}

function parsed(json: string): Record<string, unknown> | undefined {
  try {
    const line: unknown = JSON.parse(json);
    return typeof line === 'object' && line !== null && !Array.isArray(line) ? { ...line } : undefined;
  } catch {
    return undefined;
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Text in one word of plain characters as it is, everything else as JSON, so that no value looks like two fields. */
function shownValue(value: unknown): string {
  const isWord = typeof value === 'string' && /^[^\s"=]+$/.test(value);
  return visible(isWord ? value : JSON.stringify(value));
}

/**
 * Control characters (the 8-bit ones too, which begin sequences without an escape), invisible ones, those that turn
 * the direction of writing, and what is not assigned.
 */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/gu;

function visible(shown: string): string {
  return shown.replaceAll(unprintable, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
