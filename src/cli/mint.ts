import { helpEntry } from '../config/describe.js';
import { twoColumns } from '../config/layout.js';
import { readSettings } from '../config/read.js';
import { list, optional, type ValuesOf } from '../config/setting.js';
import { exact, secret } from '../config/words.js';
import { mintMacaroon } from '../macaroon/mint.js';
import { otherCaveats, restrictions, restrictionsOf } from './caveat_flags.js';
import { type Command, exitStatus, reportMistakes } from './command.js';
import { warnIfUseless } from './useless.js';

const label = exact({
  placeholder: 'TEXT',
  expected: 'a text without control characters',
  form: /^\P{Cc}*$/u,
});
const flags = {
  secrets: list(secret, {
    flag: 'secret',
    short: 's',
    variable: 'EXPORT_SECRET',
    secret: true,
    once: true,
    none: '',
    help: "The relay's root secret; of several in the variable, the first. Other users of the machine can read a command line, so prefer the variable.",
  }),
  identifier: optional(label, {
    flag: 'identifier',
    help: 'Whose macaroon it is: jobs belong to the identifier they were submitted with.',
  }),
  location: optional(label, { flag: 'location', help: 'A hint for the holder; no relay looks at it.' }),
  ...restrictions,
  caveats: otherCaveats,
};
type Wanted = ValuesOf<typeof flags>;

/** Prints a macaroon. */
export const mint: Command = {
  name: 'mint',
  summary: 'print a macaroon',
  help: `Usage: export-relay mint [flags]

Prints a macaroon. Without flags that restrict it, it allows everything.

${twoColumns([...Object.values(flags).map(helpEntry), { typed: '-h, --help', does: 'Print this page and exit.' }])}

Example:
  EXPORT_SECRET="$(cat secret.txt)" export-relay mint --target export-service \\
    --path '/lp/*' --method POST --destination 'https://collector.example/in/*' --expires 7d
`,
  async run(context) {
    const read = readSettings<Wanted>(flags, context);
    const mistakes = read.mistakes.map(({ message }) => message);
    const [secretText] = read.values.secrets;
    if (secretText === undefined && !read.failed.has('secrets')) {
      mistakes.push('--secret: there is no secret to mint with; give it here or in EXPORT_SECRET');
    }
    const caveats = [...restrictionsOf(read.values, context.now()), ...read.values.caveats];
    if (secretText === undefined || mistakes.length > 0) return wrong(context, mistakes);
    const { identifier = '', location = '' } = read.values;
    const minted = mintMacaroon({ secret: secretText, identifier, location, caveats });
    if (!minted.ok) return wrong(context, [`there is no such macaroon: ${minted.reason}`]);
    warnIfUseless('mint', minted.token, context);
    context.stdout(`${minted.token}\n`);
    return Promise.resolve(exitStatus.done);
  },
};

function wrong(context: Parameters<Command['run']>[0], mistakes: readonly string[]): number {
  reportMistakes(context, 'mint', mistakes);
  return exitStatus.usage;
}
