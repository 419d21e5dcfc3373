import { access, constants, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import PQueue from 'p-queue';
import { ExportClient, ExportError, type Job } from '../client/index.js';
import { helpEntry } from '../config/describe.js';
import { twoColumns } from '../config/layout.js';
import { readSettings } from '../config/read.js';
import { type Command, type CommandContext, exitStatus, reportMistakes } from './command.js';
import { sendFlags, type SendWanted } from './send_flags.js';
import { codeOf, InputError, type SendInput, sendInputs } from './send_input.js';
import { type Progress, startProgress } from './send_progress.js';
import { isGood, jsonOf, type Sent, wordsOf } from './send_words.js';

/** Sends data through a relay. */
export const send: Command = {
  name: 'send',
  summary: 'export files or data through a relay, and wait for the answers',
  help: `Usage: export-relay send --to URL [flags] (FILE | JSON | -)...

Submits each file, each argument that is JSON itself, or with - the standard input, as an export of its own, and waits
for the answers. Prints the body of the answer, or of many exports a line each. What happens meanwhile is told on the
standard error. Exits with 0 only if every destination answered 2xx (with --no-wait: if the relay accepted everything),
with 1 if an export failed, and with 2 if the command line is wrong.

${twoColumns([...Object.values(sendFlags).map(helpEntry), { typed: '-h, --help', does: 'Print this page and exit.' }])}

A relay whose certificate comes from a private authority is reached with NODE_EXTRA_CA_CERTS=ca.pem in the environment.

Example:
  export EXPORT_RELAY_URL=https://export-service:8080 EXPORT_RELAY_MACAROON="$(cat macaroon.txt)"
  export-relay send --to https://collector.example/in --purpose 'weekly backup' readings.json
`,
  async run(context) {
    const read = readSettings<SendWanted>(sendFlags, { ...context, takesOperands: true });
    const mistakes = read.mistakes.map(({ message }) => message);
    for (const [name, hint] of required) {
      if (read.values[name] === undefined && !read.failed.has(name)) mistakes.push(hint);
    }
    const found = await sendInputs(read.operands, context);
    if (!found.ok) mistakes.push(...found.mistakes);
    mistakes.push(...(await conflicts(read.values, read.operands.length)));
    const { url, macaroon, to } = read.values;
    if (url === undefined || macaroon === undefined || to === undefined || !found.ok || mistakes.length > 0) {
      reportMistakes(context, 'send', mistakes);
      return exitStatus.usage;
    }
    const job = new Sending(context, { ...read.values, url, macaroon, to: to.text }, found.inputs);
    return (await job.run()) ? exitStatus.done : exitStatus.failed;
  },
};

const required = [
  ['to', '--to: say where the data goes'],
  ['url', '--url: say where the relay is, here or in EXPORT_RELAY_URL'],
  ['macaroon', '--macaroon: there is none; give it here or in EXPORT_RELAY_MACAROON'],
] as const;

interface Wanted extends Omit<SendWanted, 'url' | 'macaroon' | 'to'> {
  readonly url: string;
  readonly macaroon: string;
  readonly to: string;
}

/** What does not go together, and an output that could not be written: found before any data leaves. */
async function conflicts(
  { output, idempotencyKey, noWait }: SendWanted,
  number: number,
): Promise<readonly string[]> {
  const mistakes: string[] = [];
  if (number > 1 && output !== undefined) mistakes.push('--output: one file cannot hold several bodies');
  if (number > 1 && idempotencyKey !== undefined)
    mistakes.push('--idempotency-key: names one export, not several');
  if (noWait && output !== undefined) mistakes.push('--output: there is no answer to write with --no-wait');
  if (output !== undefined) {
    try {
      await access(dirname(output), constants.W_OK);
      const existing = await stat(output).catch(() => undefined);
      if (existing?.isDirectory() === true)
        mistakes.push(`--output: ${JSON.stringify(output)} is a directory`);
    } catch (error) {
      mistakes.push(`--output: ${JSON.stringify(dirname(output))} cannot be written to (${codeOf(error)})`);
    }
  }
  return mistakes;
}

/** One run of the command: all its exports, a few at a time. */
class Sending {
  readonly #context: CommandContext;
  readonly #wanted: Wanted;
  readonly #inputs: readonly SendInput[];
  readonly #progress: Progress;
  readonly #interruption: AbortSignal;
  readonly #results: (Sent | undefined)[];
  #printed = 0;
  #good = true;

  constructor(context: CommandContext, wanted: Wanted, inputs: readonly SendInput[]) {
    this.#context = context;
    this.#wanted = wanted;
    this.#inputs = inputs;
    this.#interruption = context.interruption();
    this.#results = inputs.map(() => undefined);
    this.#progress = startProgress({
      stderr: context.stderr,
      columns: context.stderrColumns,
      now: context.now,
      total: inputs.length,
      endsArePrinted: inputs.length > 1 && !wanted.json && !wanted.noWait,
    });
  }

  /** True where every export went well. */
  async run(): Promise<boolean> {
    const queue = new PQueue({ concurrency: this.#wanted.concurrency });
    try {
      await Promise.all(this.#inputs.map((input, index) => queue.add(() => this.#one(input, index))));
    } finally {
      this.#progress.close();
    }
    const left = this.#results.filter((result) => result === undefined).length;
    if (left > 0) this.#context.stderr(`export-relay send: interrupted, ${left} not sent\n`);
    await this.#print();
    return this.#good && left === 0;
  }

  async #one(input: SendInput, index: number): Promise<void> {
    if (this.#interruption.aborted) return;
    this.#progress.began(input.name);
    const sent = await this.#send(input);
    this.#progress.ended(input.name, sent);
    if (!isGood(sent)) this.#good = false;
    this.#results[index] = sent;
    // On a terminal the line in progress and the results would mix: those come when it is over.
    if (this.#context.stderrColumns() === undefined) await this.#print();
  }

  async #send({ name, read }: SendInput): Promise<Sent> {
    const { to, purpose, idempotencyKey, noWait, timeoutMs, ...wanted } = this.#wanted;
    const client = new ExportClient({
      ...wanted,
      WebSocket: false,
      timeoutMs,
      onRetry: (report) => this.#progress.retries(name, report),
    });
    let last: Job | undefined;
    const onState = (job: Job): void => {
      last = job;
      this.#progress.saw(name, job);
    };
    const headers = Object.fromEntries(wanted.headers);
    const options = { purpose, idempotencyKey, headers, signal: this.#interruption };
    try {
      const data = await read();
      if (noWait) return { kind: 'accepted', job: await client.submit(to, data, options) };
      await client.export(to, data, { ...options, onState });
      if (last !== undefined) return { kind: 'finished', job: last };
      throw new Error('an export ended without a job');
    } catch (error) {
      if (last?.state === 'Finished') return { kind: 'finished', job: last };
      if (error instanceof ExportError || error instanceof InputError) return { kind: 'failed', error };
      throw error;
    }
  }

  /** Prints results in the order of the command line, as far as there is no gap. */
  async #print(): Promise<void> {
    for (let sent = this.#results[this.#printed]; sent !== undefined; sent = this.#results[this.#printed]) {
      const input = this.#inputs[this.#printed];
      this.#printed += 1;
      if (input !== undefined) await this.#printOne(input.name, sent);
    }
  }

  async #printOne(name: string, sent: Sent): Promise<void> {
    const { json, noWait, output } = this.#wanted;
    const { stdout } = this.#context;
    if (output !== undefined) await this.#write(sent, output);
    if (json) stdout(`${jsonOf(sent)}\n`);
    else if (noWait) stdout(sent.kind === 'failed' ? '' : `${sent.job.id}\n`);
    else if (this.#inputs.length > 1) stdout(`${name}: ${wordsOf(sent)}\n`);
    else if (output === undefined) this.#printBody(sent);
  }

  #printBody(sent: Sent): void {
    const answer = answerOf(sent);
    if (answer === undefined) return;
    const { stdout, stderr, stdoutIsTty } = this.#context;
    const text = answer.text();
    if (new TextEncoder().encode(text).length !== answer.bytes().length) {
      stderr(
        `export-relay send: the answer is ${answer.bytes().length} bytes that are no text: --output FILE writes them\n`,
      );
      return;
    }
    stdout(stdoutIsTty && text !== '' && !text.endsWith('\n') ? `${text}\n` : text);
  }

  async #write(sent: Sent, output: string): Promise<void> {
    const answer = answerOf(sent);
    if (answer === undefined) return;
    try {
      await writeFile(output, answer.bytes());
    } catch (error) {
      this.#good = false;
      this.#context.stderr(
        `export-relay send: the data has arrived, but its answer cannot be written to ${JSON.stringify(output)} (${codeOf(error)})\n`,
      );
    }
  }
}

function answerOf(sent: Sent) {
  return sent.kind !== 'failed' && sent.job.state === 'Finished' ? sent.job.answer : undefined;
}
