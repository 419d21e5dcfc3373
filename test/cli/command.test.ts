import test from 'ava';
import { type Command, reportMistakes, runCli } from '#relay/cli/command.js';
import { version } from '#relay/version.js';
import { standIn } from '../helpers/cli.js';

/** Ends with 7 after saying which arguments it got. */
const echo: Command = {
  name: 'echo',
  summary: 'say what came',
  help: 'Usage: export-relay echo\n',
  run: ({ argv, stdout }) => {
    stdout(JSON.stringify(argv));
    return Promise.resolve(7);
  },
};
const other: Command = { ...echo, name: 'other' };
const commands = new Map([echo, other].map((command) => [command.name, () => Promise.resolve(command)]));

async function run(...argv: readonly string[]) {
  const { context, written } = standIn();
  return { status: await runCli(argv, context, commands), ...written };
}

test('a command gets what follows its name, and its status is the status', async (t) => {
  t.deepEqual(await run('echo', 'a', '--b', '-p', '1'), {
    status: 7,
    stdout: '["a","--b","-p","1"]',
    stderr: '',
  });
});

for (const argv of [['--help'], ['-h'], ['help'], ['help', '--help']]) {
  test(`${argv.join(' ')} prints the overview`, async (t) => {
    const { status, stdout, stderr } = await run(...argv);
    t.is(status, 0);
    t.is(stderr, '');
    for (const part of ['Usage: ', 'echo', 'say what came', 'other', '--version', 'Example: ']) {
      t.true(stdout.includes(part), part);
    }
  });
}

test('without a command, the overview goes to stderr and the usage was wrong', async (t) => {
  const { status, stdout, stderr } = await run();
  t.is(status, 2);
  t.is(stdout, '');
  t.regex(stderr, /^Usage: /);
});

for (const argv of [
  ['echo', '--help'],
  ['echo', '-h'],
  ['echo', '--port', 'x', '--help'],
  ['help', 'echo'],
]) {
  test(`${argv.join(' ')} prints the command's help and does not run it`, async (t) => {
    t.deepEqual(await run(...argv), { status: 0, stdout: echo.help, stderr: '' });
  });
}

test('what follows -- asks for no help', async (t) => {
  t.is((await run('echo', '--', '--help')).status, 7);
});

for (const flag of ['--version', '-V']) {
  test(`${flag} prints the version of the package`, async (t) => {
    t.deepEqual(await run(flag), { status: 0, stdout: `${version}\n`, stderr: '' });
    t.regex(version, /^\d+\.\d+\.\d+/);
  });
}

for (const [argv, expected] of [
  [['ehco'], /unknown command "ehco": did you mean echo\?/],
  [['help', 'ehco'], /unknown command "ehco": did you mean echo\?/],
  [['zzz'], /unknown command "zzz": there are echo, other/],
  [[''], /unknown command ""/],
  [['--port', '80'], /the command comes first \(echo, other\)/],
  [['toString'], /unknown command "toString"/],
] as const) {
  test(`${JSON.stringify(argv)} is wrong usage, with what there is instead`, async (t) => {
    const { status, stdout, stderr } = await run(...argv);
    t.is(status, 2);
    t.is(stdout, '');
    t.regex(stderr, expected);
    t.true(stderr.endsWith('\n'));
  });
}

test('mistakes are reported one a line under a headline', (t) => {
  const { context, written } = standIn();
  reportMistakes(context, 'echo', ['first', 'second']);
  t.is(written.stderr, 'export-relay echo: 2 mistakes, see export-relay echo --help\n  first\n  second\n');
});
