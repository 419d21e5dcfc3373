import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

/** One fenced block of a Markdown page. */
export interface DocBlock {
  /** What stands behind the opening fence, such as `console`. */
  readonly language: string;
  readonly text: string;
  /** Of the opening fence, from 1. */
  readonly line: number;
}

/** Something that a page tells its reader to run, and what it says will be printed. */
interface DocStep {
  readonly command: string;
  readonly output: string;
  readonly line: number;
}

/** Every fenced block of a page, in order. */
export function docBlocks(path: string): readonly DocBlock[] {
  const page = readFileSync(path, 'utf8');
  return [...page.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(({ 1: language = '', 2: text = '', index }) => ({
    language,
    text,
    line: page.slice(0, index).split('\n').length,
  }));
}

/** The one block of a page in this language. */
export function blockOf(path: string, language: string): DocBlock {
  const [block, ...others] = docBlocks(path).filter((candidate) => candidate.language === language);
  if (block === undefined || others.length > 0) {
    throw new Error(`${path} has ${block === undefined ? 'no' : 'more than one'} block in ${language}`);
  }
  return block;
}

/**
 * What a page's blocks run. In a `console` block a line that begins with `$ ` is a command, lines that begin with `> `
 * go on with it, and what follows is its output. A `js` block is a program of its own, and a `text` block behind it is
 * what it prints. Any other language is a mistake: nothing on a page goes untested.
 */
export function docSteps(blocks: readonly DocBlock[]): readonly DocStep[] {
  return blocks.flatMap(({ language, text, line }, index) => {
    if (language === 'console') return consoleSteps(text, line);
    if (language === 'text' && blocks[index - 1]?.language === 'js') return [];
    if (language !== 'js') throw new Error(`line ${line}: a block of "${language}" cannot be run`);
    const next = blocks[index + 1];
    const output = next?.language === 'text' ? next.text.trimEnd() : '';
    return [{ command: `node --input-type=module <<'END OF BLOCK'\n${text}END OF BLOCK`, output, line }];
  });
}

function consoleSteps(text: string, line: number): readonly DocStep[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const lines = step.trimEnd().split('\n');
      const length = 1 + lines.slice(1).findIndex((next) => !next.startsWith('> '));
      const ends = length === 0 ? lines.length : length;
      const command = lines.slice(0, ends).map((next) => next.replace(/^> /, ''));
      return { command: command.join('\n'), output: lines.slice(ends).join('\n'), line };
    });
}

/** What each step printed, on both streams. All of them run in one shell. */
export async function runSteps(
  steps: readonly DocStep[],
  env: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const mark = 'this step has ended';
  const script = [
    `export-relay() { '${process.execPath}' dist/main.js "$@"; }`,
    `node() { '${process.execPath}' "$@"; }`,
    ...steps.map(({ command }) => `${command}\nprintf '\\n%s\\n' '${mark}'`),
  ].join('\n');
  const shell = spawn('bash', ['-s'], { env: { PATH: process.env['PATH'] ?? '', ...env } });
  let printed = '';
  for (const stream of [shell.stdout, shell.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (printed += text));
  }
  shell.stdin.end(`exec 2>&1\n${script}\n`);
  await once(shell, 'close');
  return printed.split(`\n${mark}\n`).slice(0, steps.length);
}

/** What differs from run to run, made the same: ids, times, ports, spans, the beginnings of signatures. */
export function steady(text: string): string {
  return text
    .trimEnd()
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<id>')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replaceAll(/127\.0\.0\.1:\d+/g, '<host>')
    .replaceAll(/That is .* from now/g, 'That is <span> from now')
    .replaceAll(/^(signature +)[0-9a-f]{8}/gm, '$1<start>')
    .replaceAll(/^(size +)\d+/gm, '$1<length>');
}
