import test from 'ava';
import { attenuate } from '#relay/cli/attenuate.js';
import { decodeMacaroon } from '#relay/macaroon/token.js';
import { runBinary, standIn } from '../helpers/cli.js';
import { mint, verifiedToken } from '../helpers/macaroons.js';

async function run(argv: readonly string[], stdin = '') {
  const { context, written } = standIn({ argv, stdin, env: {} });
  return { status: await attenuate.run(context), ...written };
}

const job = '2c1d8a54-0b3e-4b34-9b5c-0d6a3f3f2a51';

test('caveats are appended without the secret, in order, and the signature holds', async (t) => {
  const { status, stdout, stderr } = await run([
    mint(['method = POST']),
    '--caveat=time < 2031-01-01T00:00:00Z',
    '--action=poll|cancel',
    '--bytes=2kb',
    `--job=${job}`,
    '--expires=1h',
    '--destination=https://a.example/*',
    '--target=export-service',
    '--path=/lp/*',
    '--method=post',
  ]);
  t.is(stderr, '');
  t.is(status, 0);
  t.deepEqual(
    verifiedToken(stdout.trim()).caveats.map(({ text }) => text),
    [
      'method = POST',
      'path = /lp/*',
      'method = POST',
      'target = export-service',
      'destination = https://a.example/*',
      'time < 2030-01-31T13:00:00Z',
      `job = ${job}`,
      'action = poll|cancel',
      'bytes <= 2048',
      'time < 2031-01-01T00:00:00Z',
    ],
  );
});

test('the macaroon may come on the standard input, and be narrowed again', async (t) => {
  const once = await run(['-', '--expires=1h'], `${mint([])}\n`);
  const twice = await run(['-', '--action=poll'], once.stdout);
  t.deepEqual(
    verifiedToken(twice.stdout.trim()).caveats.map(({ kind }) => kind),
    ['time', 'action'],
  );
});

for (const [argv, mistake] of [
  [[], /there is nothing to append/],
  [['--caveat=bytes <= many'], /no relay would accept "bytes <= many": its bytes must be/],
  [['--caveat=time < 2031-01-01T00:00:00'], /no relay would accept .*RFC 3339 with a zone/],
  [['--caveat=colour = blue'], /no relay would accept "colour = blue": this relay understands only/],
  [['--caveat=path = lp/export'], /no request satisfies "path = lp\/export": paths begin with \//],
  [['--caveat=destination = https://*.a.example/'], /no export satisfies .*a host cannot hold a \*/],
  [['--job=5'], /--job: expects a job's id/],
  [['--action=read'], /--action: expects submit, poll or cancel/],
  [['--expires=soon'], /--expires: expects a time/],
  [['--expires=1h', '--expires=2h'], /--expires: given more than once/],
  [['another', '--expires=1h'], /there are 2 arguments/],
] as const) {
  test(`nothing is printed for ${argv.join(' ') || 'no caveat'}`, async (t) => {
    const { status, stdout, stderr } = await run([mint([]), ...argv]);
    t.is(status, 2);
    t.is(stdout, '');
    t.regex(stderr, mistake);
  });
}

test('a text that is no macaroon is refused with its reason', async (t) => {
  const { status, stdout, stderr } = await run(['eyJ2IjoyfQ', '--expires=1h']);
  t.deepEqual([status, stdout], [1, '']);
  t.regex(stderr, /no macaroon: it holds JSON/);
});

test('a macaroon that would be too large for any relay is not made', async (t) => {
  const full = mint(Array<string>(32).fill('bytes <= 1'));
  const { status, stdout, stderr } = await run([full, '--expires=1h']);
  t.deepEqual([status, stdout], [2, '']);
  t.regex(stderr, /no such macaroon: it has more than 32 caveats/);
});

test('whoever narrows a macaroon to nothing is warned, and gets it', async (t) => {
  const { status, stdout, stderr } = await run([mint(['action = submit']), '--action=poll']);
  t.is(status, 0);
  t.true(decodeMacaroon(stdout.trim()).ok);
  t.regex(stderr, /the macaroon allows nothing: its action and job caveats exclude each other/);
});

test('the commands of the binary go together: mint, attenuate, inspect', async (t) => {
  const minted = await runBinary(['mint', '--secret=s', '--path=/lp/*']);
  const narrowed = await runBinary(['attenuate', '--method=POST'], {
    EXPORT_RELAY_MACAROON: minted.stdout.trim(),
  });
  const asked = ['--path=/export', '--method=POST'];
  const inspected = await runBinary(['inspect', narrowed.stdout.trim(), '--secret=s', ...asked]);
  t.is(inspected.status, 1);
  t.regex(inspected.stdout, /, holds: .*✗ path = \/lp\/\*.*✓ method = POST/s);
});

test('the help of attenuate names every flag and has an example', (t) => {
  for (const flag of 'path method target destination expires job action bytes caveat'.split(' ')) {
    t.true(attenuate.help.includes(`--${flag} `), flag);
  }
  t.regex(attenuate.help, /\nExample, .*:\n/);
});
