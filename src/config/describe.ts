import type { SourcedConfig } from './effective.js';
import { type HelpEntry, twoColumns, wrap } from './layout.js';
import { commandLine } from './parse.js';
import { namesOf, type Source } from './read.js';
import type { SettingsTable, SettingText } from './setting.js';
import { type Config, settings } from './settings.js';

const table: SettingsTable<Config> = settings;

/** What `serve --help` prints. */
export function helpText(): string {
  return [
    'Usage: export-relay serve [flags]',
    '',
    ...wrap(
      'Runs the service. Each setting comes from its flag, else from its environment variable (named in brackets), else from its default. Durations take ms, s, m, h or d, and a bare number is seconds; sizes take kb, mb or gb, powers of 1024, and a bare number is bytes. In a variable, several values are separated by commas; a flag is given once for each. A switch is turned off with --no-… or =off.',
    ),
    '',
    twoColumns([
      ...Object.values(settings).map(helpEntry),
      { typed: `    --${commandLine.printConfig.flag}`, does: commandLine.printConfig.help },
      { typed: '-h, --help', does: 'Print this page and exit.' },
    ]),
    '',
    'Examples:',
    '  export-relay serve --dev',
    '  EXPORT_SECRET="$(cat secret.txt)" export-relay serve --port 8080 \\',
    '    --allow-destination "https://collector.example/in/*" --attempts 6 --job-timeout 20m',
    '',
  ].join('\n');
}

/** A setting on a help page: how its flag is typed, what it does; its variable and default in brackets. */
export function helpEntry(setting: SettingText): HelpEntry {
  const { short, flag, kind, once, variable, placeholder, defaultText, help } = setting;
  const dashes = short === undefined ? '    ' : `-${short}, `;
  const value = kind === 'switch' ? '' : ` ${placeholder}`;
  const notes = [
    ...(variable === undefined ? [] : [variable]),
    ...(defaultText === '' ? [] : [`default ${defaultText}`]),
    ...(kind === 'list' && once !== true ? ['repeatable'] : []),
  ];
  const bracket = notes.length === 0 ? '' : ` [${notes.join('; ')}]`;
  return { typed: `${dashes}--${flag}${value}`, does: help + bracket };
}

/** What `serve --print-config` prints: a line for each setting, with its unit and where it came from. */
export function printConfig({ config, sources }: SourcedConfig): string {
  const lines = namesOf(table).map((name) => ({
    left: `${table[name].flag} = ${shown(name, config[name])}`,
    right: describeSource(sources[name]),
  }));
  const column = Math.min(44, Math.max(...lines.map(({ left }) => left.length)));
  return lines.map(({ left, right }) => `${left.padEnd(column)}  # ${right}\n`).join('');
}

/** The settings as a Markdown table, for the README. */
export function settingsTable(): string {
  const rows = Object.values(settings).map(tableRow);
  return ['| flag | environment | default | meaning |', '|---|---|---|---|', ...rows, ''].join('\n');
}

function tableRow({ flag, short, variable, kind, defaultText, help }: SettingText): string {
  const flags = short === undefined ? `\`--${flag}\`` : `\`--${flag}\`, \`-${short}\``;
  const meaning = kind === 'list' ? `${help} Repeatable; separated by commas in the variable.` : help;
  const cells = [flags, variable === undefined ? '–' : `\`${variable}\``, defaultText, meaning];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function shown<Name extends keyof Config>(name: Name, value: Config[Name]): string {
  return table[name].write(value).join(', ') || table[name].none;
}

function describeSource(source: Source): string {
  switch (source.from) {
    case 'default':
      return 'default';
    case 'flag':
      return `flag ${source.name}`;
    case 'environment':
      return `environment ${source.name}`;
    case 'consequence':
      return `because of ${source.name}`;
  }
}
