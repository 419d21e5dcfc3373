import { loadPublicKey } from '../audit/keys.js';
import type { Finding, Mark } from '../audit/verify.js';
import { isRecordThere, type RecordReport, verifyFiles } from '../audit/verify_files.js';
import { helpEntry } from '../config/describe.js';
import { twoColumns } from '../config/layout.js';
import { quote } from '../config/quote.js';
import { readSettings } from '../config/read.js';
import { optional, toggle, type ValuesOf } from '../config/setting.js';
import { exact, filePath } from '../config/words.js';
import { type Command, type CommandContext, exitStatus, reportMistakes } from './command.js';

const hash = exact({
  placeholder: 'HASH',
  expected: 'a head as this command prints it, 64 hexadecimal digits',
  form: /^[0-9a-f]{64}$/,
});

const flags = {
  key: optional(filePath, {
    flag: 'key',
    none: 'FILE.pub',
    help: 'The public key, in PEM. Keep a copy where nobody who can write to the record can change it.',
  }),
  head: optional(hash, {
    flag: 'head',
    help: 'A head that was noted earlier: it has to be in the record still, so that a cut tail is noticed.',
  }),
  partial: toggle({
    flag: 'partial',
    help: 'Earlier files of the record are kept elsewhere: it may begin anywhere.',
  }),
  json: toggle({ flag: 'json', help: 'Print the result as one JSON object.' }),
};
type Wanted = ValuesOf<typeof flags>;

/** Checks an audit record. */
export const audit: Command = {
  name: 'audit',
  summary: 'verify an audit record',
  help: `Usage: export-relay audit verify FILE [flags]

Checks that no line of an audit record was changed, removed, added or moved since it was written, FILE.1, FILE.2 and
so on included, and says how far the signatures cover it. The exit status is 0 if the record is whole, 1 if it is not,
2 if it cannot be checked.

${twoColumns([...Object.values(flags).map(helpEntry), { typed: '-h, --help', does: 'Print this page and exit.' }])}

Example:
  export-relay audit verify audit.log --key trusted.pub --head "$(cat noted-head.txt)"
`,
  async run(context) {
    const { file, rest } = takeFile(context.argv);
    const read = readSettings<Wanted>(flags, { ...context, argv: rest });
    const mistakes = read.mistakes.map(({ message }) => message);
    if (file === undefined) mistakes.unshift('expects the words "verify FILE", as in audit verify audit.log');
    if (file === undefined || mistakes.length > 0) {
      reportMistakes(context, 'audit', mistakes);
      return exitStatus.usage;
    }
    return verify(file, read.values, context);
  },
};

/** The file comes behind `verify`, or last. */
function takeFile([action, ...rest]: readonly string[]): {
  readonly file: string | undefined;
  readonly rest: readonly string[];
} {
  if (action !== 'verify') return { file: undefined, rest: [] };
  const [first, last] = [rest[0], rest.at(-1)];
  if (first !== undefined && !first.startsWith('-')) return { file: first, rest: rest.slice(1) };
  if (last !== undefined && !last.startsWith('-')) return { file: last, rest: rest.slice(0, -1) };
  return { file: undefined, rest };
}

async function verify(file: string, wanted: Wanted, context: CommandContext): Promise<number> {
  try {
    if (!(await isRecordThere(file))) return cannot(context, `there is no ${quote(file)}`);
    const key = await loadPublicKey(wanted.key ?? `${file}.pub`);
    if (!key.ok) return cannot(context, `${key.detail}; name the record's public key with --key`);
    const report = await verifyFiles(file, { ...wanted, key: key.key });
    context.stdout(wanted.json ? `${JSON.stringify(jsonOf(report))}\n` : textOf(report, wanted));
    return report.ok ? exitStatus.done : exitStatus.failed;
  } catch (error) {
    // Without a code it does not come from the system: a bug.
    if (!(error instanceof Error && 'code' in error)) throw error;
    return cannot(context, `${quote(file)} cannot be read (${String(error.code)})`);
  }
}

function cannot({ stderr }: CommandContext, why: string): number {
  stderr(`export-relay audit: ${why}\n`);
  return exitStatus.usage;
}

function textOf(report: RecordReport, wanted: Wanted): string {
  const { findings, moreFindings, files } = report;
  return [
    ...findings.map(lineOf),
    ...(moreFindings > 0 ? [`and ${moreFindings} more`] : []),
    report.ok ? `The record is whole: ${extent(report)}` : `The record is NOT whole: ${extent(report)}`,
    ...(files.length > 1 ? [`It was read from ${files.length} files.`] : []),
    report.ok ? coverage(report) : lastSignature(report),
    ...(report.ok && wanted.head !== undefined ? ['The head noted earlier is in it.'] : []),
    ...(report.ok && report.head !== undefined ? [`head ${report.head}`] : []),
    '',
  ].join('\n');
}

function lineOf({ place, problem, detail }: Finding): string {
  return `${place.file}:${place.line}: ${problem}: ${detail}`;
}

function extent({ lines, first, last }: RecordReport): string {
  if (first === undefined || last === undefined) return 'it has no line.';
  return `${count(lines)}, from line ${first.seq} (${first.time}) to line ${last.seq} (${last.time}).`;
}

function coverage({ checkpoint, uncovered }: RecordReport): string {
  if (checkpoint === undefined) return 'No signature covers any of it.';
  const covered = `Signatures cover it up to line ${checkpoint.seq} (${checkpoint.time})`;
  return uncovered === 0
    ? `${covered}, the last.`
    : `${covered}; the ${count(uncovered)} after it could have been cut off or written anew.`;
}

function lastSignature({ checkpoint }: RecordReport): string {
  if (checkpoint === undefined) return 'There is no valid signature in it.';
  return `The last valid signature is that of line ${checkpoint.seq} (${checkpoint.time}).`;
}

function count(lines: number): string {
  return lines === 1 ? '1 line' : `${lines} lines`;
}

function jsonOf(report: RecordReport): Readonly<Record<string, unknown>> {
  const { ok, lines, files, first, last, checkpoint, uncovered, head, findings, moreFindings } = report;
  return {
    ok,
    lines,
    files,
    first: markJson(first),
    last: markJson(last),
    checkpoint: markJson(checkpoint),
    uncovered,
    head: head ?? null,
    findings: findings.map(({ problem, place, seq, detail }) => ({ problem, ...place, seq, detail })),
    more_findings: moreFindings,
  };
}

function markJson(mark: Mark | undefined): Mark | null {
  return mark ?? null;
}
