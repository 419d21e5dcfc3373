import { type Mistake, readFlags } from './flags.js';
import { quote } from './quote.js';
import type { Setting, SettingsTable } from './setting.js';
import { commaList } from './units.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a value came from; a `consequence` follows from another flag. */
export type Source =
  | { readonly from: 'default' }
  | { readonly from: 'flag' | 'environment' | 'consequence'; readonly name: string };

export type Sources<Values> = Readonly<Record<keyof Values, Source>>;

export interface SettingsRead<Values> {
  /** Complete: a setting that could not be read has its default here, and is listed in `failed`. */
  readonly values: Values;
  readonly sources: Sources<Values>;
  readonly failed: ReadonlySet<keyof Values>;
  /** Words of the command line that belong to no flag, where the command takes any. */
  readonly operands: readonly string[];
  readonly mistakes: readonly Mistake[];
}

/** Reads a whole table: flag, else environment, else default. A variable that is empty counts as not set. */
export function readSettings<Values extends object>(
  table: SettingsTable<Values>,
  {
    argv,
    env,
    takesOperands = false,
  }: { readonly argv: readonly string[]; readonly env: Environment; readonly takesOperands?: boolean },
): SettingsRead<Values> {
  const names = namesOf(table);
  const flags = readFlags(
    argv,
    names.map((name) => table[name]),
    { takesOperands },
  );
  const mistakes = [...flags.mistakes];
  const failed = new Set<keyof Values>();
  const values: Partial<Values> = {};
  const sources: Partial<Record<keyof Values, Source>> = {};
  for (const name of names) {
    const one = readOne(table[name], flags.given, env);
    values[name] = one.value;
    sources[name] = one.source;
    mistakes.push(...one.mistakes);
    if (one.failed) failed.add(name);
  }
  if (!isComplete(values, names) || !isComplete<Sources<Values>>(sources, names)) {
    throw new Error('a setting was left out');
  }
  return { values, sources, failed, operands: flags.operands, mistakes };
}

/** The names of a table's settings, in its order. */
export function namesOf<Values extends object>(table: SettingsTable<Values>): readonly (keyof Values)[] {
  return Object.keys(table).filter((name): name is keyof Values & string => Object.hasOwn(table, name));
}

function isComplete<Whole>(part: Partial<Whole>, names: readonly (keyof Whole)[]): part is Whole {
  return names.every((name) => name in part);
}

interface One<Value> {
  readonly value: Value;
  readonly source: Source;
  readonly failed: boolean;
  readonly mistakes: readonly Mistake[];
}

function readOne<Value>(
  setting: Setting<Value>,
  given: ReadonlyMap<string, readonly string[]>,
  env: Environment,
): One<Value> {
  const { source, texts } = textsOf(setting, given, env);
  const unset = { value: setting.default, source, mistakes: [] };
  if (source.from === 'default') return { ...unset, failed: false };
  // A flag without its value: that was reported where it stood.
  if (texts.length === 0) return { ...unset, failed: true };
  const read = setting.read(texts);
  if (read.ok) return { ...unset, value: read.value, failed: false };
  const mistakes = read.refused.map((refused) => ({
    usage: false,
    message: refusal(setting, source.name, refused),
  }));
  return { ...unset, failed: true, mistakes };
}

function textsOf(
  { flag, variable, kind }: Pick<Setting<unknown>, 'flag' | 'variable' | 'kind'>,
  given: ReadonlyMap<string, readonly string[]>,
  env: Environment,
): { readonly source: Source; readonly texts: readonly string[] } {
  const fromFlag = given.get(flag);
  if (fromFlag !== undefined) return { source: { from: 'flag', name: `--${flag}` }, texts: fromFlag };
  const text = variable === undefined ? undefined : env[variable];
  if (variable === undefined || text === undefined || text === '') {
    return { source: { from: 'default' }, texts: [] };
  }
  return {
    source: { from: 'environment', name: variable },
    texts: kind === 'list' ? commaList(text) : [text],
  };
}

function refusal(
  { secret, kind }: Pick<Setting<unknown>, 'secret' | 'kind'>,
  name: string,
  refused: { readonly text: string; readonly expected: string },
): string {
  const came = refused.text === '' ? 'an empty text' : secret ? '[redacted]' : quote(refused.text);
  const several = kind === 'list' && refused.text.includes(',') && name.startsWith('--');
  const hint = several ? ' (give the flag once for each value)' : '';
  return `${name}: expects ${refused.expected}; got ${came}${hint}`;
}
