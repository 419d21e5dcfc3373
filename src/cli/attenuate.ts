import { helpEntry } from '../config/describe.js';
import { twoColumns } from '../config/layout.js';
import { readSettings } from '../config/read.js';
import { optional, type ValuesOf } from '../config/setting.js';
import { size } from '../config/units.js';
import { destinationPattern, exact } from '../config/words.js';
import { attenuateMacaroon } from '../macaroon/mint.js';
import { parseCaveat } from '../macaroon/predicate.js';
import { otherCaveats, restrictions, restrictionsOf } from './caveat_flags.js';
import { type Command, type CommandContext, exitStatus, reportMistakes } from './command.js';
import { readMacaroon } from './macaroon_argument.js';
import { warnIfUseless } from './useless.js';

const jobId = exact({
  placeholder: 'ID',
  expected: "a job's id, a UUID",
  form: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
});
const actions = exact({
  placeholder: 'ACTIONS',
  expected: 'submit, poll or cancel, or several with | between, such as "poll|cancel"',
  form: /^(?:submit|poll|cancel)(?:\|(?:submit|poll|cancel))*$/,
});

const flags = {
  ...restrictions,
  job: optional(jobId, { flag: 'job', help: 'Only requests about this job, so no new ones.' }),
  action: optional(actions, {
    flag: 'action',
    help: 'Only to submit, poll or cancel; several with | between.',
  }),
  bytes: optional(size({ minBytes: 0, maxBytes: 2 ** 50 }), {
    flag: 'bytes',
    help: 'New jobs only with data of at most this size.',
  }),
  caveats: otherCaveats,
};
type Wanted = ValuesOf<typeof flags>;

/** Appends caveats to a macaroon. */
export const attenuate: Command = {
  name: 'attenuate',
  summary: 'append caveats to a macaroon, offline',
  help: `Usage: export-relay attenuate [MACAROON | -] [flags]

Prints a macaroon that allows what the given one does and the flags leave of it. It takes no secret and asks nobody, and
what was appended cannot be taken away again: so a narrower macaroon can be handed on. The macaroon is the argument, with
- the standard input, else what EXPORT_RELAY_MACAROON holds. Caveats that no relay would understand are refused.

${twoColumns([...Object.values(flags).map(helpEntry), { typed: '-h, --help', does: 'Print this page and exit.' }])}

Example, for a page that may follow one job for an hour:
  export-relay attenuate "$MACAROON" --action poll --expires 1h \\
    --job 2c1d8a54-0b3e-4b34-9b5c-0d6a3f3f2a51
`,
  async run(context) {
    const read = readSettings<Wanted>(flags, { ...context, takesOperands: true });
    const mistakes = read.mistakes.map(({ message }) => message);
    const caveats = caveatsOf(read.values, context.now());
    mistakes.push(...read.values.caveats.flatMap(mistakesIn));
    if (caveats.length === 0 && mistakes.length === 0) {
      mistakes.push(
        'there is nothing to append: say what the macaroon is to be restricted to, as with --expires 1h',
      );
    }
    if (mistakes.length > 0) return wrong(context, mistakes);
    const given = await readMacaroon(read.operands, context);
    if (given.kind === 'usage') return wrong(context, [given.mistake]);
    if (given.kind === 'undecodable') {
      context.stderr(`export-relay attenuate: this is no macaroon: ${given.reason}\n`);
      return exitStatus.failed;
    }
    const narrowed = attenuateMacaroon(given.token, caveats);
    if (!narrowed.ok) return wrong(context, [`there is no such macaroon: ${narrowed.reason}`]);
    warnIfUseless('attenuate', narrowed.token, context);
    context.stdout(`${narrowed.token}\n`);
    return exitStatus.done;
  },
};

function wrong(context: CommandContext, mistakes: readonly string[]): number {
  reportMistakes(context, 'attenuate', mistakes);
  return exitStatus.usage;
}

function caveatsOf(wanted: Wanted, nowMs: number): readonly string[] {
  const { job, action, bytes } = wanted;
  return [
    ...restrictionsOf(wanted, nowMs),
    ...(job === undefined ? [] : [`job = ${job}`]),
    ...(action === undefined ? [] : [`action = ${action}`]),
    ...(bytes === undefined ? [] : [`bytes <= ${bytes}`]),
    ...wanted.caveats,
  ];
}

/** Why no request could ever satisfy a caveat that was given as text: a relay reads it and never lets it pass. */
function mistakesIn(text: string): readonly string[] {
  const caveat = parseCaveat(text);
  if (caveat.kind === 'unknown') return [`--caveat: no relay would accept "${text}": ${caveat.reason}`];
  if (caveat.kind === 'path' && !/^(?:\/|\*$)/.test(caveat.path)) {
    return [`--caveat: no request satisfies "${text}": paths begin with /`];
  }
  if (caveat.kind !== 'destination') return [];
  const pattern = destinationPattern.parse(caveat.pattern);
  return pattern.ok ? [] : [`--caveat: no export satisfies "${text}": expects ${pattern.expected}`];
}
