import test from 'ava';
import { serve } from '#relay/cli/serve.js';
import { standIn } from '../helpers/cli.js';

test('mistakes in the configuration end with 78, mistakes of the command line alone with 2', async (t) => {
  for (const [argv, status] of [
    [['--port', 'x', '--dev'], 78],
    [['--port', 'x', '--dev', '--bogus'], 78],
    [['--dev', '--bogus'], 2],
    [['--dev', 'argument'], 2],
    [[], 78],
  ] as const) {
    const { context, written } = standIn({ argv });
    t.is(await serve.run(context), status, JSON.stringify(argv));
    t.is(written.stdout, '');
    t.regex(written.stderr, /^export-relay serve: \d+ mistakes?, see export-relay serve --help\n {2}/);
  }
});

test('what has no effect is said on stderr and stops nothing', async (t) => {
  const { context, written } = standIn({
    argv: ['--dev', '--print-config'],
    env: { HTTPS_PROXY: 'http://p' },
  });
  t.is(await serve.run(context), 0);
  t.regex(written.stderr, /^export-relay serve: HTTPS_PROXY is ignored/);
  t.regex(written.stdout, /^port = 8080/);
});
