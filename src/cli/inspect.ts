import { helpEntry } from '../config/describe.js';
import { twoColumns } from '../config/layout.js';
import { readSettings } from '../config/read.js';
import { list, optional, toggle, type ValuesOf } from '../config/setting.js';
import { oneOf, size } from '../config/units.js';
import { exact, name, secret, uri } from '../config/words.js';
import { method } from './caveat_flags.js';
import { type Command, type CommandContext, exitStatus, reportMistakes } from './command.js';
import { type Asked, findingsOf, isGood } from './findings.js';
import { jsonOf, textOf } from './findings_text.js';
import { readMacaroon } from './macaroon_argument.js';

const requestPath = exact({
  placeholder: 'PATH',
  expected: 'the path of a request, such as /lp/export',
  form: /^\/[^\s?#\p{Cc}]*$/u,
});
const jobId = exact({ placeholder: 'ID', expected: "a job's id", form: /^\P{Cc}+$/u });
const anything = exact({ placeholder: 'TEXT', expected: 'a text', form: /^/ });

type Action = 'submit' | 'poll' | 'cancel';

const flags = {
  secrets: list(secret, {
    flag: 'secret',
    short: 's',
    variable: 'EXPORT_SECRET',
    secret: true,
    none: '',
    help: 'A root secret of the relay: says whether the signature holds under one of those given. Other users of the machine can read a command line, so prefer the variable.',
  }),
  path: optional(requestPath, { flag: 'path', help: 'Ask about a request to this path.' }),
  method: optional(method, { flag: 'method', help: 'Ask about a request with this method.' }),
  destination: optional(uri, { flag: 'destination', help: 'Ask about an export to this URL.' }),
  target: optional(name, { flag: 'target', help: 'Ask about the relay of this name.' }),
  action: optional<Action>(oneOf('ACTION', ['submit', 'poll', 'cancel']), {
    flag: 'action',
    help: 'Ask about this action: submit, poll or cancel.',
  }),
  job: optional(jobId, { flag: 'job', help: 'Ask about a request about this job.' }),
  bytes: optional(size({ minBytes: 0, maxBytes: 2 ** 50 }), {
    flag: 'bytes',
    help: 'Ask about a new job with data of this size.',
  }),
  data: optional(anything, { flag: 'data', help: 'Ask about a new job with exactly this data.' }),
  json: toggle({ flag: 'json', help: 'Print JSON.' }),
};
type Wanted = ValuesOf<typeof flags>;

/** Says what a macaroon allows, and why a request does not fit it. */
export const inspect: Command = {
  name: 'inspect',
  summary: 'say what a macaroon allows, and whether a request fits it',
  help: `Usage: export-relay inspect [MACAROON | -] [flags]

Prints the parts of a macaroon and what its caveats mean. The macaroon is the argument, with - the standard input, else
what EXPORT_RELAY_MACAROON holds. With a secret it says whether the signature holds; with a request, described as far as
you like, which caveats that request satisfies and why it does not satisfy the others. Exits 0 if the request fits, or
nothing was asked, and 1 if it does not, if the signature does not hold, or if the text is no macaroon.

${twoColumns([...Object.values(flags).map(helpEntry), { typed: '-h, --help', does: 'Print this page and exit.' }])}

Example:
  EXPORT_SECRET="$(cat secret.txt)" export-relay inspect "$MACAROON" \\
    --path /export --method POST --destination https://collector.example/in
`,
  async run(context) {
    const read = readSettings<Wanted>(flags, { ...context, takesOperands: true });
    const mistakes = read.mistakes.map(({ message }) => message);
    if (read.values.bytes !== undefined && read.values.data !== undefined) {
      mistakes.push('--bytes: the data that --data gives has its own size; give one of the two');
    }
    if (mistakes.length > 0) return wrong(context, mistakes);
    const given = await readMacaroon(read.operands, context);
    if (given.kind === 'usage') return wrong(context, [given.mistake]);
    const { json } = read.values;
    if (given.kind === 'undecodable') {
      context.stderr(`export-relay inspect: this is no macaroon: ${given.reason}\n`);
      if (json) context.stdout(`${JSON.stringify({ macaroon: false, reason: given.reason })}\n`);
      return exitStatus.failed;
    }
    const findings = findingsOf(given.macaroon, given.token, askedOf(read.values, context.now()));
    context.stdout(json ? jsonOf(findings) : textOf(findings));
    return isGood(findings) ? exitStatus.done : exitStatus.failed;
  },
};

function wrong(context: CommandContext, mistakes: readonly string[]): number {
  reportMistakes(context, 'inspect', mistakes);
  return exitStatus.usage;
}

function askedOf(wanted: Wanted, nowMs: number): Asked {
  const { secrets, path, method, destination, target, action, job, bytes, data } = wanted;
  const request = { path, method, destination, target, action, jobId: job, bytes, data };
  const asksAboutRequest = Object.values(request).some((value) => value !== undefined);
  return { secrets, nowMs, request: asksAboutRequest ? request : undefined };
}
