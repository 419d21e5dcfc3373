import fc from 'fast-check';
import test from 'ava';
import { openLog } from '#relay/log/output.js';
import { terminalLine } from '#relay/log/terminal.js';

const plain = { colours: false };

function line(fields: Record<string, unknown>): string {
  return JSON.stringify({ level: 'info', time: '2030-01-31T12:00:00.120Z', ...fields, msg: 'request' });
}

test('a line is time of day, level, message and fields', (t) => {
  t.is(
    terminalLine(line({ route: '/export', status: 200, owner: 'steps app' }), plain),
    '12:00:00.120 info  request route=/export status=200 owner="steps app"\n',
  );
});

test('a value cannot pass itself off as another field, nor as another line', (t) => {
  const shown = terminalLine(line({ owner: 'x status=200', at: ['a\nb', 'c'] }), plain);
  t.true(shown.endsWith('request owner="x status=200" at=["a\\nb","c"]\n'), shown);
});

test('colours mark what is severe', (t) => {
  const shown = terminalLine(line({}).replace('info', 'error'), { colours: true });
  t.is(shown, '\u001b[2m12:00:00.120\u001b[0m \u001b[31merror\u001b[0m request\n');
});

test('what is no JSON is shown all the same, without what a terminal would obey', (t) => {
  t.is(terminalLine('a \u001b[2J line\n', plain), 'a \\u{1b}[2J line\n');
  t.is(terminalLine('[1]\n', plain), '[1]\n');
});

for (const [what, hostile, shown] of [
  ['an escape sequence', '\u001b]0;title\u0007', '\\u{1b}]0;title\\u{7}'],
  ['an 8-bit control sequence', '\u009b2J', '\\u{9b}2J'],
  ['a delete', 'a\u007fb', 'a\\u{7f}b'],
  ['a change of direction', 'a\u202eb', 'a\\u{202e}b'],
  ['a line separator', 'a\u2028b', '"a\\u{2028}b"'],
  ['a tag that nobody sees', 'a\u{e0041}b', 'a\\u{e0041}b'],
] as const) {
  test(`${what} is shown as characters and never reaches the terminal`, (t) => {
    t.true(terminalLine(line({ owner: hostile }), plain).endsWith(`owner=${shown}\n`));
  });
}

test('whatever a field holds, the terminal gets one line of printable characters', (t) => {
  const hostile = fc.string({ unit: 'binary', maxLength: 40 });
  fc.assert(
    fc.property(hostile, hostile, (name, value) => {
      const shown = terminalLine(line({ [name]: value, list: [value] }), plain);
      t.regex(shown, /^[^\p{C}\p{Zl}\p{Zp}]*\n$/u);
    }),
  );
});

for (const isTerminal of [true, false]) {
  test(`${isTerminal ? 'on a terminal lines are for people' : 'elsewhere lines are JSON'}, that of a loss too`, (t) => {
    const written: string[] = [];
    let taken: () => void = () => undefined;
    const { logger, flush, lostLines } = openLog({
      level: 'info',
      isTerminal,
      colours: false,
      nowMs: () => 0,
      write: (text, done) => {
        written.push(text);
        taken = done;
      },
    });
    logger.info({ a: 1 }, 'one');
    flush();
    // More than is held for a reader who does not read.
    logger.info({ a: 'x'.repeat(9 * 1024 ** 2) }, 'two');
    t.is(lostLines(), 1);
    taken();
    const isJson = (text: string): boolean => text.startsWith('{') && text.endsWith('}\n');
    t.deepEqual(written.map(isJson), [!isTerminal, !isTerminal]);
    t.regex(written[1] ?? '', /log lines lost/);
  });
}
