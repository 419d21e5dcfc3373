import test from 'ava';
import fc from 'fast-check';
import { type FlagShape, readFlags } from '#relay/config/flags.js';

const about = { secret: false, expected: 'a text' };
const shapes: readonly FlagShape[] = [
  { ...about, flag: 'port', short: 'p', kind: 'value' },
  { ...about, flag: 'secret', short: 's', kind: 'list', secret: true },
  { ...about, flag: 'allow-http', kind: 'switch' },
  { ...about, flag: 'path', kind: 'value', once: true },
];

const commandLines: readonly (readonly [
  readonly string[],
  Readonly<Record<string, readonly string[]>>,
  string,
])[] = [
  [['--port', '1'], { port: ['1'] }, 'a value after the flag'],
  [['--port=1'], { port: ['1'] }, 'a value after an equals sign'],
  [['--port='], { port: [''] }, 'an empty value'],
  [['--secret=a=b'], { secret: ['a=b'] }, 'only the first equals sign counts'],
  [['--secret=a\nb'], { secret: ['a\nb'] }, 'a value with a line feed'],
  [['-p', '1'], { port: ['1'] }, 'a short flag'],
  [['-p1'], { port: ['1'] }, 'a short flag with its value attached'],
  [['-p=1'], { port: ['1'] }, 'a short flag with an equals sign'],
  [['--port', '-1'], { port: ['-1'] }, 'a negative number, to be refused as a number'],
  [['--port', '-'], { port: ['-'] }, 'a single dash'],
  [['--secret=-x'], { secret: ['-x'] }, 'an attached value may begin with a dash'],
  [['--port', '1', '--port', '2'], { port: ['1', '2'] }, 'every text is kept, in order'],
  [['--allow-http'], { 'allow-http': ['true'] }, 'a switch'],
  [['--no-allow-http'], { 'allow-http': ['false'] }, 'a switch turned off'],
  [['--allow-http=no'], { 'allow-http': ['no'] }, 'a switch with a word'],
  [['--allow-http', '--port', '1'], { 'allow-http': ['true'], 'port': ['1'] }, 'a switch takes no next word'],
  [['--secret', ''], { secret: [''] }, 'an empty word is a value, to be refused as one'],
];
for (const [argv, given, why] of commandLines) {
  test(`${JSON.stringify(argv)} is understood: ${why}`, (t) => {
    const read = readFlags(argv, shapes);
    t.deepEqual(Object.fromEntries(read.given), given);
    t.deepEqual(read.mistakes, []);
  });
}

const mistakes: readonly (readonly [readonly string[], readonly RegExp[], string])[] = [
  [
    ['--prot', '1'],
    [/^unknown flag --prot: did you mean --port\?$/],
    'the value belongs to the unknown flag',
  ],
  [['--bogus'], [/^unknown flag --bogus: see --help$/], 'nothing is near'],
  [
    ['--allow-htp', 'x'],
    [/--allow-htp: did you mean --allow-http/, /argument after --allow-htp/],
    'no value',
  ],
  [['--no-port'], [/^unknown flag --no-port/], 'what is no switch cannot be turned off'],
  [['--no-allow-http=1'], [/^unknown flag --no-allow-http/], 'on or off?'],
  [['-x'], [/^unknown flag -x: see --help$/], 'an unknown letter'],
  [['--'], [/^unexpected argument "--"/], 'nothing can follow it'],
  [['here'], [/^unexpected argument "here": everything is set by flags$/], 'an argument'],
  [['--port'], [/^--port: expects a text; it has no value$/], 'the end of the line'],
  [
    ['--port', '--allow-http'],
    [/^--port: expects a text; it has no value \(.*--port=…\)$/],
    'another flag follows',
  ],
  [['--path', 'a', '--path', 'b'], [/^--path: given more than once$/], 'a flag that is given once only'],
  [
    ['--allow-http', 'off'],
    [/^unexpected argument "off".* attached, --allow-http=…$/],
    'the word for a switch is not attached',
  ],
  [['--x', '--y', 'a', 'b'], [/--x/, /--y/, /after --y/], 'all of them at once'],
];
for (const [argv, expected, why] of mistakes) {
  test(`${JSON.stringify(argv)} is a mistake: ${why}`, (t) => {
    const found = readFlags(argv, shapes).mistakes.map(({ message }) => message);
    t.is(found.length, expected.length, found.join('\n'));
    for (const [index, pattern] of expected.entries()) t.regex(found[index] ?? '', pattern);
  });
}

test('a flag without its value is known to be given, and stands for nothing', (t) => {
  t.deepEqual(readFlags(['--port'], shapes).given.get('port'), []);
});

test('only a missing value is the mistake of a setting; the rest is wrong usage', (t) => {
  const { mistakes } = readFlags(['--bogus', 'x', 'y', '--port'], shapes);
  t.deepEqual(
    mistakes.map(({ usage }) => usage),
    [true, true, false],
  );
});

for (const argv of [
  ['--secret', 'a', 'hunter2'],
  ['-s', 'a', 'hunter2'],
  ['--secrte', 'hunter2'],
  ['--secrte', 'a', 'hunter2'],
  ['--secrte=hunter2'],
  ['--secret', '--hunter2'],
  ['--secret', '-hunter2'],
  ['--secret', '-hunter2', 'hunter2'],
  ['-Shunter2'],
  ['-S', 'hunter2'],
]) {
  test(`a secret mistyped as ${JSON.stringify(argv)} is not repeated`, (t) => {
    const { mistakes } = readFlags(argv, shapes);
    t.true(mistakes.length > 0);
    t.notRegex(JSON.stringify(mistakes), /hunter/);
  });
}

test('no command line makes the reader throw, or passes without a value or a mistake', (t) => {
  const known = fc.constantFrom(
    '--port',
    '-p',
    '--secret',
    '--allow-http',
    '--no-allow-http',
    '--',
    '-',
    '--=',
  );
  const property = fc.property(fc.array(fc.oneof(fc.string(), known), { minLength: 1 }), (argv) => {
    const { given, mistakes } = readFlags(argv, shapes);
    return [...given.values()].flat().length + mistakes.length > 0;
  });
  t.notThrows(() => fc.assert(property));
});
