import { type HelpEntry, twoColumns } from '../config/layout.js';
import { nearest } from '../config/nearest.js';
import { quote } from '../config/quote.js';
import type { Environment } from '../config/read.js';
import { version } from '../version.js';

/** How a command ended, as the process's exit status. */
export const exitStatus = {
  done: 0,
  /** An export or a check failed. */
  failed: 1,
  /** The command line was wrong. */
  usage: 2,
  /** A setting was wrong; EX_CONFIG of sysexits.h. */
  configuration: 78,
} as const;

/** Everything a command needs of the process around it, so that a test can stand in for it. */
export interface Surroundings {
  readonly env: Environment;
  /** Writes as is; a line needs its own line feed. Calls back once the text was taken, or cannot be. */
  readonly stdout: (text: string, taken?: () => void) => void;
  readonly stderr: (text: string) => void;
  readonly stdoutIsTty: boolean;
  /** Everything that comes on the standard input until it ends, as UTF-8. */
  readonly stdin: () => Promise<string>;
  /** The same, as it comes. */
  readonly stdinBytes: () => Promise<Uint8Array>;
  /** The width of the terminal that stderr is; undefined where it is none, or one that cannot draw over a line. */
  readonly stderrColumns: () => number | undefined;
  /** The wall clock, in ms since 1970. */
  readonly now: () => number;
  /**
   * From the first call on, the first SIGINT or SIGTERM aborts the signal instead of ending the process, and the
   * second ends it at once.
   */
  readonly interruption: () => AbortSignal;
  /**
   * From then on an exception that nobody caught, a rejected promise included, is handed to `report` before it ends
   * the process with status 1: after a bug nobody knows what still holds, and whoever supervises starts it again.
   */
  readonly onBug: (report: (error: unknown) => void) => void;
}

export interface CommandContext extends Surroundings {
  /** What follows the command's name. */
  readonly argv: readonly string[];
}

export interface Command {
  readonly name: string;
  /** Half a line for the overview. */
  readonly summary: string;
  /** What `--help` prints, an example included; ends with a line feed. */
  readonly help: string;
  /** Resolves to the exit status. Expected failures are reported on stderr; a rejection is a bug. */
  readonly run: (context: CommandContext) => Promise<number>;
}

/** The commands by their names. Each is loaded when it is needed, so that the small ones begin at once. */
export type Commands = ReadonlyMap<string, () => Promise<Command>>;

/** Finds the command that the arguments name and runs it; answers `--help`, `help` and `--version` itself. */
export async function runCli(
  argv: readonly string[],
  surroundings: Surroundings,
  commands: Commands,
): Promise<number> {
  const [first, ...rest] = argv;
  if (first === undefined) {
    surroundings.stderr(await overview(commands));
    return exitStatus.usage;
  }
  if (first === '--version' || first === '-V') {
    surroundings.stdout(`${version}\n`);
    return exitStatus.done;
  }
  if (isHelpFlag(first) || (first === 'help' && rest.every(isHelpFlag))) {
    surroundings.stdout(await overview(commands));
    return exitStatus.done;
  }
  const name = first === 'help' ? (rest[0] ?? '') : first;
  const load = commands.get(name);
  if (load === undefined) {
    surroundings.stderr(`export-relay: ${unknownCommand(name, [...commands.keys()])}\n`);
    return exitStatus.usage;
  }
  const command = await load();
  if (first === 'help' || asksForHelp(rest)) {
    surroundings.stdout(command.help);
    return exitStatus.done;
  }
  return command.run({ ...surroundings, argv: rest });
}

/** Prints mistakes on stderr, one a line, under a headline that says whose they are. */
export function reportMistakes(
  { stderr }: Pick<Surroundings, 'stderr'>,
  command: string,
  mistakes: readonly string[],
): void {
  const number = mistakes.length === 1 ? '1 mistake' : `${mistakes.length} mistakes`;
  const lines = mistakes.map((mistake) => `  ${mistake}\n`);
  stderr(`export-relay ${command}: ${number}, see export-relay ${command} --help\n${lines.join('')}`);
}

/** A flag's value never is one of these: values that begin with a dash have to be attached. */
function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).some(isHelpFlag);
}

function isHelpFlag(word: string): boolean {
  return word === '--help' || word === '-h';
}

async function overview(commands: Commands): Promise<string> {
  const loaded = await Promise.all([...commands.values()].map((load) => load()));
  const entries: readonly HelpEntry[] = loaded.map(({ name, summary }) => ({ typed: name, does: summary }));
  return [
    'Usage: export-relay <command> [flags]',
    '',
    twoColumns([
      ...entries,
      { typed: 'help [command]', does: 'print this page, or the help of a command' },
      { typed: '--version', does: 'print the version' },
    ]),
    '',
    'Example: export-relay serve --dev',
    '',
  ].join('\n');
}

function unknownCommand(name: string, names: readonly string[]): string {
  if (name.startsWith('-')) {
    return `the command comes first (${names.join(', ')}), then its flags; see export-relay --help`;
  }
  const meant = nearest(name, [...names, 'help']);
  const hint = meant === undefined ? `there are ${names.join(', ')}` : `did you mean ${meant}?`;
  return `unknown command ${quote(name)}: ${hint}`;
}
