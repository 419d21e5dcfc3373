import { boolean, type Unit } from './units.js';

/** What there is to say about a setting without knowing the type of its value. */
export interface SettingText {
  /** Without the dashes. */
  readonly flag: string;
  /** One letter. */
  readonly short?: string;
  /** Environment variable; a list is comma-separated there. */
  readonly variable?: string;
  /** A `value` takes the last text given, a `list` takes them all, a `switch` needs none. */
  readonly kind: 'value' | 'list' | 'switch';
  /** Whether giving the flag twice is a mistake; otherwise a later one overrides. */
  readonly once?: boolean;
  /** Whether the value must never be printed. */
  readonly secret: boolean;
  /** What stands for the value in `--help`. */
  readonly placeholder: string;
  /** Completes "expects …". */
  readonly expected: string;
  /** How no value at all reads: `any`, `none`; empty where that goes without saying. */
  readonly none: string;
  /** How the default reads. */
  readonly defaultText: string;
  /** One or more whole sentences for `--help` and the README. */
  readonly help: string;
}

/** One thing that can be set: how it is written, what it means, what it is when nobody says. */
export interface Setting<Value> extends SettingText {
  readonly default: Value;
  readonly read: (texts: readonly string[]) => Read<Value>;
  /** The value's parts, to be shown: the entries of a list, else one; none where there is no value. No secrets. */
  readonly write: (value: Value) => readonly string[];
}

/** A table of settings, each under the name its value has in `Values`. */
export type SettingsTable<Values> = { readonly [Name in keyof Values]: Setting<Values[Name]> };

/** What the settings of a table amount to. */
export type ValuesOf<Table> = {
  readonly [Name in keyof Table]: Table[Name] extends Setting<infer Value> ? Value : never;
};

type Read<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly refused: readonly { text: string; expected: string }[] };

/** What a table says about a setting of any kind. */
interface About {
  readonly flag: string;
  readonly short?: string;
  readonly variable?: string;
  readonly help: string;
  readonly none?: string;
  readonly secret?: boolean;
  readonly once?: boolean;
}

/** A setting with one value. */
export function single<Value>(unit: Unit<Value>, about: About & { readonly default: Value }): Setting<Value> {
  return build(unit, about, {
    kind: 'value',
    default: about.default,
    read: (texts) => readLast(unit, texts),
    write: (value) => [unit.format(value)],
  });
}

/** A setting that may be left out, given at most once. */
export function optional<Value>(unit: Unit<Value>, about: About): Setting<Value | undefined> {
  const setting = build<Value | undefined>(
    unit,
    { none: '', ...about },
    {
      kind: 'value',
      default: undefined,
      read: (texts) => readLast(unit, texts),
      write: (value) => (value === undefined ? [] : [unit.format(value)]),
    },
  );
  return { ...setting, once: true };
}

/** A setting with any number of values. */
export function list<Item>(unit: Unit<Item>, about: About): Setting<readonly Item[]> {
  return build<readonly Item[]>(unit, about, {
    kind: 'list',
    default: [],
    read: (texts) => readAll(unit, texts),
    write: (items) => items.map((item) => unit.format(item)),
  });
}

/** A setting that is on or off, and off by default. */
export function toggle(about: About): Setting<boolean> {
  return { ...single(boolean, { ...about, default: false }), kind: 'switch' };
}

function build<Value>(
  { placeholder, expected }: { readonly placeholder: string; readonly expected: string },
  about: About,
  values: Pick<Setting<Value>, 'kind' | 'default' | 'read' | 'write'>,
): Setting<Value> {
  const { none = 'none', secret = false } = about;
  const write: Setting<Value>['write'] = secret
    ? (value) => values.write(value).map(() => '[redacted]')
    : values.write;
  const defaultText = write(values.default).join(', ') || none;
  return { placeholder, expected, ...about, ...values, none, secret, write, defaultText };
}

function readLast<Value>(unit: Unit<Value>, texts: readonly string[]): Read<Value> {
  const text = texts.at(-1) ?? '';
  const parsed = unit.parse(text);
  return parsed.ok ? parsed : { ok: false, refused: [{ text, expected: parsed.expected }] };
}

/** Reads every text, so that all bad entries are reported together. */
function readAll<Item>(unit: Unit<Item>, texts: readonly string[]): Read<readonly Item[]> {
  const value: Item[] = [];
  const refused: { text: string; expected: string }[] = [];
  for (const text of texts) {
    const parsed = unit.parse(text);
    if (parsed.ok) value.push(parsed.value);
    else refused.push({ text, expected: parsed.expected });
  }
  return refused.length === 0 ? { ok: true, value } : { ok: false, refused };
}
