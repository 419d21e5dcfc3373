/** What a text meant, or what should have stood there instead. */
export type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly expected: string };

/** How one kind of value is written: read, printed and described in one notation. */
export interface Unit<Value> {
  /** What stands for the value in `--help`, such as `SIZE`. */
  readonly placeholder: string;
  /** Completes "expects …". */
  readonly expected: string;
  /** Never throws. White space around the text is ignored, except in secrets. */
  readonly parse: (text: string) => Parsed<Value>;
  /** Writes a value so that `parse` reads the same value back. */
  readonly format: (value: Value) => string;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** The longest delay that setTimeout takes (2³¹ − 1 ms), in whole days: anything longer would fire at once. */
export const maxTimerMs = 24 * 86_400_000;
/** The longest duration for settings that a sweep looks after and no timer holds: a year. */
export const maxSweptMs = 365 * 86_400_000;
/** The largest memory size that can be set: a tebibyte, far below where numbers lose whole bytes. */
export const maxSizeBytes = 1024 ** 4;

const durationUnits = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
const sizeUnits = { gb: 1024 ** 3, mb: 1024 ** 2, kb: 1024, b: 1 } as const;

/** Durations in whole milliseconds, at most `maxMs`; a bare number is seconds. */
export function duration({ minMs = 1, maxMs }: { minMs?: number; maxMs: number }): Unit<number> {
  const bounds = { min: minMs, max: maxMs };
  const range = `from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`;
  return unit({
    placeholder: 'TIME',
    expected: `a duration ${range}, such as 500ms, 30s, 10m, 1.5h or 7d (a bare number is seconds)`,
    read: (text) => within(bounds, scaled(text, /^(\d+\.?\d*|\.\d+)(ms|s|m|h|d)?$/, durationUnits, 's')),
    format: formatDuration,
  });
}

/** Sizes in whole bytes; `kb`, `mb` and `gb` are powers of 1024, a bare number is bytes. */
export function size({ minBytes = 1, maxBytes }: { minBytes?: number; maxBytes: number }): Unit<number> {
  const bounds = { min: minBytes, max: maxBytes };
  const range = `from ${formatSize(minBytes)} to ${formatSize(maxBytes)}`;
  return unit({
    placeholder: 'SIZE',
    expected: `a size ${range}, such as 64kb, 1.5mb or 1gb (a bare number is bytes)`,
    read: (text) => within(bounds, scaled(text, /^(\d+\.?\d*|\.\d+)(b|kb|mb|gb)?$/i, sizeUnits, 'b')),
    format: formatSize,
  });
}

/** Whole decimal numbers within bounds. */
export function integer(bounds: Bounds): Unit<number> {
  return unit({
    placeholder: 'N',
    expected: `a whole number from ${bounds.min} to ${bounds.max}`,
    read: (text) => (/^\d+$/.test(text) ? within(bounds, Number(text)) : undefined),
    format: String,
  });
}

/** How many of something: at least one. The bound keeps sums of counts exact. */
export const count = integer({ min: 1, max: 1_000_000_000 });

/** A TCP port; 0 lets the system pick a free one. */
export const port: Unit<number> = { ...integer({ min: 0, max: 65_535 }), placeholder: 'PORT' };

const booleans: Readonly<Record<string, boolean>> = {
  '1': true,
  'true': true,
  'yes': true,
  'on': true,
  '0': false,
  'false': false,
  'no': false,
  'off': false,
  '': false,
};

/** A switch, as a variable or after `=`. */
export const boolean: Unit<boolean> = unit({
  placeholder: '',
  expected: 'one of 1, true, yes, on, 0, false, no, off',
  read: (text) => (Object.hasOwn(booleans, text.toLowerCase()) ? booleans[text.toLowerCase()] : undefined),
  format: (value) => (value ? 'on' : 'off'),
});

/** One word out of a fixed set. */
export function oneOf<Word extends string>(placeholder: string, words: readonly Word[]): Unit<Word> {
  return unit<Word>({
    placeholder,
    expected: `one of ${words.join(', ')}`,
    read: (text) => words.find((word) => word === text.toLowerCase()),
    format: (word) => word,
  });
}

/** From the most to the least talkative. */
const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];
export const logLevel = oneOf('LEVEL', logLevels);

/** The entries of a comma-separated variable, empty ones included: they are for the entry's unit to refuse. */
export function commaList(text: string): readonly string[] {
  return text.split(',');
}

/** A unit out of a function that answers `undefined` where it cannot read the trimmed text. */
export function unit<Value>(about: {
  readonly placeholder: string;
  readonly expected: string;
  readonly read: (text: string) => Value | undefined;
  readonly format: (value: Value) => string;
}): Unit<Value> {
  const { placeholder, expected, read, format } = about;
  const parse = (text: string): Parsed<Value> => {
    const value = read(text.trim());
    return value === undefined ? { ok: false, expected } : { ok: true, value };
  };
  return { placeholder, expected, parse, format };
}

/** The number times what its suffix stands for, to the nearest whole; `undefined` if the text has another form. */
function scaled(
  text: string,
  form: RegExp,
  suffixes: Readonly<Record<string, number>>,
  bare: string,
): number | undefined {
  const match = form.exec(text);
  const scale = suffixes[match?.[2]?.toLowerCase() ?? bare];
  return match === null || scale === undefined ? undefined : Math.round(Number(match[1]) * scale);
}

function within({ min, max }: Bounds, value: number | undefined): number | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined;
}

/** In the largest unit that divides it; days only from two up, because a day's windows read better as `24h`. */
function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  if (ms === durationUnits.d) return '24h';
  return inLargestUnit(ms, durationUnits);
}

function formatSize(bytes: number): string {
  return bytes === 0 ? '0b' : inLargestUnit(bytes, sizeUnits);
}

/** `units` run from large to small and end with one that divides everything. */
function inLargestUnit(value: number, units: Readonly<Record<string, number>>): string {
  const [suffix, scale] = Object.entries(units).find(([, scale]) => value % scale === 0) ?? ['', 1];
  return `${value / scale}${suffix}`;
}
