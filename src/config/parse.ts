import { checkTogether, environmentMistakes, environmentNotices } from './checks.js';
import { applyDevelopmentMode, freeAdminPort, limitAttemptTimeout, type SourcedConfig } from './effective.js';
import { type Environment, readSettings } from './read.js';
import { type Setting, toggle, type ValuesOf } from './setting.js';
import { type Config, settings } from './settings.js';

/** What `serve` understands: the settings, and what is no setting but a wish for this one run. */
export const commandLine = {
  ...settings,
  printConfig: toggle({
    flag: 'print-config',
    help: 'Print the effective configuration, secrets masked, and exit.',
  }),
  polling: formerly('polling'),
  longPolling: formerly('long-polling'),
  websocket: formerly('websocket'),
  verbose: formerly('verbose', 'v'),
};

/** A flag of the service that this one replaces: start scripts may still give it. */
function formerly(flag: string, short?: string): Setting<boolean> {
  return toggle({
    flag,
    ...(short === undefined ? {} : { short }),
    help: 'Accepted for older start scripts; changes nothing.',
  });
}

export type ParsedConfig =
  | (SourcedConfig & {
      readonly ok: true;
      /** Whether the configuration is to be printed rather than run. */
      readonly printConfig: boolean;
      /** What was found that has no effect, one sentence each; for the operator, not an error. */
      readonly notices: readonly string[];
    })
  | {
      readonly ok: false;
      /** Every mistake there is, one line each. */
      readonly mistakes: readonly string[];
      /** Whether only the command line was wrong, and no setting. */
      readonly usage: boolean;
      /** As far as it could be read, with defaults for the rest: to look for further mistakes, not to run with. */
      readonly config: Config;
    };

/**
 * The effective configuration of `serve`: flag, else environment, else default, then what `--dev` and the job
 * timeout entail. All mistakes are reported together; none repeats a secret.
 */
export function parseConfig(given: {
  readonly argv: readonly string[];
  readonly env: Environment;
}): ParsedConfig {
  const read = readSettings<ValuesOf<typeof commandLine>>(commandLine, given);
  const { printConfig, polling, longPolling, websocket, verbose, ...config } = read.values;
  const former = Object.entries({ polling, longPolling, websocket, verbose })
    .filter(([, isGiven]) => isGiven)
    .map(([name]) => name);
  const sourced: SourcedConfig = { config, sources: read.sources };
  const inSettings = [...checkTogether(sourced, read.failed), ...environmentMistakes(given.env)];
  const mistakes = [...read.mistakes.map(({ message }) => message), ...inSettings];
  if (mistakes.length > 0) {
    const usage = inSettings.length === 0 && read.mistakes.every((mistake) => mistake.usage);
    return { ok: false, mistakes, usage, config };
  }
  const effective = applyDevelopmentMode(freeAdminPort(limitAttemptTimeout(sourced)));
  return {
    ok: true,
    ...effective,
    printConfig,
    notices: [...formerNotices(former), ...environmentNotices(given.env)],
  };
}

/** One sentence for all of them. */
function formerNotices(names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const flags = names.map((name) => `--${name === 'longPolling' ? 'long-polling' : name}`).join(', ');
  return [`${flags}: accepted for older start scripts; changes nothing (every way to ask is always on)`];
}
