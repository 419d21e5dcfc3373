const width = 100;

/** One entry of a help page: what is typed, and what it does. */
export interface HelpEntry {
  readonly typed: string;
  readonly does: string;
}

/** Entries in two columns, the right one wrapped; no line is longer than 100 columns unless one word is. */
export function twoColumns(entries: readonly HelpEntry[]): string {
  const left = Math.max(...entries.map(({ typed }) => typed.length)) + 4;
  return entries
    .flatMap(({ typed, does }) =>
      wrap(does, width - left).map((line, index) =>
        index === 0 ? `  ${typed}`.padEnd(left) + line : ' '.repeat(left) + line,
      ),
    )
    .join('\n');
}

/** Breaks a text at spaces into lines of at most `columns`. */
export function wrap(text: string, columns = width): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
