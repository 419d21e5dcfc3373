import { helpEntry } from '../config/describe.js';
import { twoColumns } from '../config/layout.js';
import { readSettings } from '../config/read.js';
import { list, optional, type ValuesOf } from '../config/setting.js';
import { destinationPattern, exact, name, secret } from '../config/words.js';
import { mintMacaroon } from '../macaroon/mint.js';
import { type Command, exitStatus, reportMistakes } from './command.js';
import { expiry, formatTime } from './expiry.js';

const label = exact({
  placeholder: 'TEXT',
  expected: 'a text without control characters',
  form: /^\P{Cc}*$/u,
});
const path = exact({
  placeholder: 'PATH',
  expected: 'a path that begins with /, such as /lp/export or /lp/*, or * for any',
  form: /^(?:\/[^\s\p{Cc}]*|\*)$/u,
});
const method = exact({
  placeholder: 'METHOD',
  expected: 'an HTTP method, such as POST',
  form: /^[a-z]+$/i,
});
const caveat = exact({
  placeholder: 'CAVEAT',
  expected: 'a caveat such as "bytes <= 1000", without control characters or white space around it',
  form: /^(?!\s)\P{Cc}+(?<!\s)$/u,
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
  path: optional(path, {
    flag: 'path',
    help: 'Only requests to this path; one that ends in * covers what begins so.',
  }),
  method: optional(method, { flag: 'method', help: 'Only requests with this HTTP method.' }),
  target: optional(name, { flag: 'target', help: 'Only the relay of this name.' }),
  destination: optional(destinationPattern, {
    flag: 'destination',
    help: 'Only exports to this URL; one that ends in /* covers what lies below it.',
  }),
  expires: optional(expiry, {
    flag: 'expires',
    help: 'Only until then: a time such as 2030-01-31T12:00:00Z, or a duration from now such as 1h or 7d.',
  }),
  caveats: list(caveat, {
    flag: 'caveat',
    none: '',
    help: 'Any other caveat, as text; they follow the ones above.',
  }),
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
    const caveats = caveatsOf(read.values, context.now());
    if (secretText === undefined || mistakes.length > 0) return wrong(context, mistakes);
    const { identifier = '', location = '' } = read.values;
    const minted = mintMacaroon({ secret: secretText, identifier, location, caveats });
    if (!minted.ok) return wrong(context, [`there is no such macaroon: ${minted.reason}`]);
    context.stdout(`${minted.token}\n`);
    return Promise.resolve(exitStatus.done);
  },
};

function wrong(context: Parameters<Command['run']>[0], mistakes: readonly string[]): number {
  reportMistakes(context, 'mint', mistakes);
  return exitStatus.usage;
}

/** In the order in which the platform's arbiter writes them; those it does not write come last. */
function caveatsOf(wanted: Wanted, nowMs: number): readonly string[] {
  const { path, method, target, destination, expires } = wanted;
  const until = expires?.kind === 'after' ? nowMs + expires.ms : expires?.ms;
  return [
    ...(path === undefined ? [] : [`path = ${path}`]),
    ...(method === undefined ? [] : [`method = ${method.toUpperCase()}`]),
    ...(target === undefined ? [] : [`target = ${target}`]),
    ...(destination === undefined ? [] : [`destination = ${destination}`]),
    ...(until === undefined ? [] : [`time < ${formatTime(until)}`]),
    ...wanted.caveats,
  ];
}
