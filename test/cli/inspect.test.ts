import test from 'ava';
import { inspect } from '#relay/cli/inspect.js';
import { encodeMacaroon } from '#relay/macaroon/token.js';
import { standIn } from '../helpers/cli.js';
import { mint, testSecret } from '../helpers/macaroons.js';

interface Setup {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

async function run(argv: readonly string[], { env = {}, stdin = '' }: Setup = {}) {
  const { context, written } = standIn({ argv, env, stdin });
  return { status: await inspect.run(context), ...written };
}

const job = '2c1d8a54-0b3e-4b34-9b5c-0d6a3f3f2a51';
const uri = 'https://collector.example/in/a';
/** The digest of `{}`. */
const digest = '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a';

test('the parts are shown, each caveat in words, and what they leave together', async (t) => {
  const token = mint([
    'path = /lp/*',
    'method = POST',
    'target = export-service',
    'destination = https://collector.example/in/*',
    'time < 2030-02-02T13:30:00Z',
    'bytes <= 1000',
  ]);
  const { status, stdout, stderr } = await run([token]);
  t.is(status, 0);
  t.is(stderr, '');
  t.is(
    stdout.replace(/^signature {3}[0-9a-f]{8}/m, 'signature   00000000'),
    `location    https://arbiter:8080
identifier  an app
signature   00000000…, not checked: that takes the relay's --secret
size        ${token.length} of 4096 characters, 6 of 32 caveats

caveats
   1  path = /lp/*
      Only requests to paths that begin with /lp/.
   2  method = POST
      Only requests with the method POST.
   3  target = export-service
      Only at the relay whose name is export-service.
   4  destination = https://collector.example/in/*
      Only exports to what lies below https://collector.example/in/ on that server.
   5  time < 2030-02-02T13:30:00Z
      Only before 2030-02-02T13:30:00.000Z. That is 2 days 1 hour from now.
   6  bytes <= 1000
      New jobs only with data of at most 1000 bytes.

its holder
      may submit new jobs, poll the jobs it may see and cancel the jobs it may see
      for destinations that match https://collector.example/in/*
      through POST /lp/export
      at the relay export-service
      with data of at most 1000 bytes
      until 2030-02-02T13:30:00.000Z
`,
  );
});

for (const [caveat, asked, reason] of [
  ['path = /lp/export', ['--path=/export'], 'the request\'s path is "/export"'],
  ['path = /lp/*', ['--path=/export'], 'the request\'s path is "/export"'],
  ['method = GET', ['--method=POST'], 'the request\'s method is "POST"'],
  ['target = other', ['--target=export-service'], 'this service\'s name is "export-service"'],
  ['destination = https://a.example/', [`--destination=${uri}`], `the destination is "${uri}"`],
  ['time < 2030-01-31T12:00:00Z', ['--path=/export'], 'the time is now 2030-01-31T12:00:00.000Z'],
  [`job = ${job}`, ['--action=submit'], 'the request submits a new job'],
  [`job = ${job}`, ['--job=another'], 'the request is about the job "another"'],
  ['action = poll|cancel', ['--action=submit'], 'the request\'s action is "submit"'],
  ['bytes <= 10', ['--bytes=11'], 'data is 11 bytes long'],
  ['bytes <= 1', ['--data=ü'], 'data is 2 bytes long'],
  [`sha256 = ${'0'.repeat(64)}`, ['--data={}'], `data's SHA-256 is ${digest}`],
  ['bytes<= 1', ['--path=/export'], /this relay understands only .*"bytes <= …"/],
  ['location = Cambridge', ['--path=/export'], /this relay understands only/],
] as const) {
  test(`"${caveat}" does not fit ${asked.join(' ')}, and the words say why`, async (t) => {
    const { status, stdout } = await run([mint([caveat]), ...asked]);
    t.is(status, 1);
    const words = /Not satisfied: (.*)\.$/m.exec(stdout)?.[1] ?? '';
    if (typeof reason === 'string') t.is(words, reason);
    else t.regex(words, reason);
    t.regex(stdout, /\n {3}1 {2}✗ .*The request does not fit: 1 caveat is not satisfied\.\n$/s);
    const machine = JSON.parse((await run([mint([caveat]), ...asked, '--json'])).stdout) as {
      readonly fits: boolean;
      readonly caveats: readonly { readonly satisfied: boolean; readonly reason: string }[];
    };
    t.like(machine, { fits: false, caveats: [{ satisfied: false, reason: words }] });
  });
}

for (const [caveat, asked] of [
  ['path = /lp/*', ['--path=/lp/export']],
  ['method = post', ['--method=POST']],
  ['target = export-service', ['--target=export-service']],
  ['destination = https://collector.example/in/*', [`--destination=${uri}`]],
  ['time < 2030-01-31T12:00:00.001Z', ['--path=/export']],
  [`job = ${job}`, [`--job=${job.toUpperCase()}`]],
  ['action = poll|cancel', ['--action=cancel', `--job=${job}`]],
  ['bytes <= 2', ['--data={}']],
  ['bytes <= 10', [`--job=${job}`]],
  ['bytes <= 10', ['--action=poll']],
  [`sha256 = ${digest}`, ['--data={}']],
  [`sha256 = ${digest}`, [`--job=${job}`]],
] as const) {
  test(`"${caveat}" fits ${asked.join(' ')}`, async (t) => {
    const { status, stdout } = await run([mint([caveat]), ...asked]);
    t.is(status, 0);
    t.regex(stdout, /\n {3}1 {2}✓ .*\nThe request fits\.\n$/s);
  });
}

for (const [caveat, asked, missing] of [
  ['path = /export', '--method=POST', '--path'],
  ['target = a', '--method=POST', "the relay's name with --target"],
  ['destination = https://a.example/', '--method=POST', '--destination'],
  ['action = poll', '--method=POST', '--action'],
  [`job = ${job}`, '--method=POST', '--job'],
  ['bytes <= 10', '--action=submit', '--bytes or --data'],
  [`sha256 = ${digest}`, '--bytes=2', '--data'],
] as const) {
  test(`what ${asked} leaves open in "${caveat}" is no refusal, and the missing flag is named`, async (t) => {
    const { status, stdout } = await run([mint([caveat]), asked]);
    t.is(status, 0);
    t.true(stdout.includes(`Not judged: say ${missing} to have it judged.`), stdout);
    t.regex(stdout, /fits as far as it was described: 1 caveat is not judged\.\n$/);
  });
}

test('the signature holds under any of the secrets, or it is a failed check', async (t) => {
  const token = mint(['method = POST']);
  const good = await run([token, '--secret=other', '--secret', testSecret]);
  t.is(good.status, 0);
  t.regex(good.stdout, /^signature {3}[0-9a-f]{8}…, holds: /m);
  t.is((await run([token], { env: { EXPORT_SECRET: `other,${testSecret}` } })).status, 0);
  const bad = await run([token, '--secret=other']);
  t.is(bad.status, 1);
  t.regex(bad.stdout, /^signature {3}[0-9a-f]{8}…, DOES NOT HOLD: /m);
  t.false(bad.stdout.includes('other,'));
});

for (const [caveats, reason] of [
  [['time < 2030-01-31T11:00:00Z'], 'its time has passed'],
  [['method = DELETE'], 'its path and method caveats fit none of the ways in'],
  [['path = /ws/export', 'method = POST'], 'its path and method caveats fit none of the ways in'],
  [['target = a', 'target = b'], 'no relay has two names (a and b)'],
  [[`job = ${job}`, 'action = submit'], 'its action and job caveats exclude each other'],
  [[`job = ${job}`, 'job = 00000000-0000-4000-8000-000000000000'], /^no request is about two jobs/],
  [['a < b'], /^it holds "a < b": no request satisfies it: /],
] as const) {
  test(`a macaroon with ${caveats.join(', ')} allows nothing, and is told so`, async (t) => {
    const { status, stdout } = await run([mint(caveats), '--json']);
    t.is(status, 0);
    const { allows, allows_nothing: why = '' } = JSON.parse(stdout) as {
      allows: [];
      allows_nothing?: string;
    };
    t.deepEqual(allows, []);
    if (typeof reason === 'string') t.is(why, reason);
    else t.regex(why, reason);
    t.true((await run([mint(caveats)])).stdout.includes(`its holder may do nothing: ${why}`));
  });
}

test('the macaroon comes as argument, on the standard input or in the variable', async (t) => {
  const token = mint(['method = POST']);
  const { stdout } = await run([token]);
  t.is((await run(['-'], { stdin: ` ${token}\n` })).stdout, stdout);
  t.is((await run([], { env: { EXPORT_RELAY_MACAROON: token } })).stdout, stdout);
  t.is((await run(['--', token], { env: { EXPORT_RELAY_MACAROON: 'x' } })).stdout, stdout);
});

test('what a stranger wrote into a macaroon cannot move the cursor', async (t) => {
  const token = mint(['path = /\u001b[2J\u202e\n']);
  const { stdout } = await run([token, '--path=/x']);
  t.notRegex(stdout, /[^\P{Cc}\n]|\u202e/u);
  t.true(stdout.includes('path = /\\u{1b}[2J\\u{202e}\\u{a}'));
});

test('a third-party caveat is shown, and that no relay takes it', async (t) => {
  const cid = Buffer.from('ask the bank');
  const caveats = [{ kind: 'third-party', cid, vid: Buffer.alloc(4), location: undefined }] as const;
  const token = encodeMacaroon({ location: '', identifier: '', caveats, signature: Buffer.alloc(32) });
  const { stdout } = await run([token]);
  t.regex(stdout, /third-party caveat ask the bank\n +No request satisfies it: the relay takes no discharge/);
});

const whole = mint(['method = POST']);
for (const [text, reason] of [
  [' ', 'it is empty'],
  [`${whole.slice(0, 20)}\n${whole.slice(20)}`, 'there is white space in it: was it broken into lines'],
  [`macaroon.${whole}`, 'it begins with "macaroon."'],
  [`"${whole}"`, 'it stands in quotation marks'],
  [`${whole.slice(0, 10)}é`, 'its character 11, "é", is none of URL-safe base64'],
  [whole.slice(0, 9), 'no base64 has 9 digits'],
  ['MDA+', 'it is written in the base64 alphabet with + and /'],
  ['AgEC', 'it is a macaroon of version 2'],
  ['eyJ2IjoyfQ', 'it holds JSON'],
  ['aGVsbG8gd29ybGQ', 'it does not begin like a macaroon'],
  [whole.slice(0, -8), 'its packet 4, at byte 78, says it is 47 bytes long and only 41 are left'],
  [Buffer.from('0006a\n').toString('base64url'), 'its packet 1, at byte 0, does not end in a line feed'],
  [Buffer.from('000ecid a = b\n').toString('base64url'), 'its first packet is not a location'],
  [`${whole}${'A'.repeat(4096)}`, 'does not begin with four hexadecimal digits'],
] as const) {
  test(`${JSON.stringify(text.slice(0, 30))} is no macaroon: ${reason}`, async (t) => {
    const { status, stdout, stderr } = await run(['-'], { stdin: text });
    t.is(status, 1);
    t.is(stdout, '');
    t.true(stderr.startsWith('export-relay inspect: this is no macaroon: '), stderr);
    t.true(stderr.includes(reason), stderr);
    t.like(JSON.parse((await run(['-', '--json'], { stdin: text })).stdout), { macaroon: false });
  });
}

for (const [argv, mistake] of [
  [[], /there is no macaroon: give one, or - .*EXPORT_RELAY_MACAROON/],
  [[whole, whole], /there are 2 arguments, and one macaroon is wanted/],
  [[whole, '--path=export'], /--path: expects the path of a request/],
  [[whole, '--destination=nowhere'], /--destination: expects .* \(this one is not an absolute URL\)/],
  [[whole, '--action=read'], /--action: expects one of submit, poll, cancel/],
  [[whole, '--bytes=1', '--data={}'], /--bytes: .*give one of the two/],
  [[whole, '--jsn'], /unknown flag --jsn: did you mean --json\?/],
] as const) {
  test(`wrong usage is told: ${argv.slice(1).join(' ') || 'no macaroon'}`, async (t) => {
    const { status, stdout, stderr } = await run(argv);
    t.is(status, 2);
    t.is(stdout, '');
    t.regex(stderr, mistake);
  });
}

test('the help of inspect names every flag and has an example', (t) => {
  for (const flag of 'secret path method destination target action job bytes data json'.split(' ')) {
    t.true(inspect.help.includes(`--${flag} `), flag);
  }
  t.regex(inspect.help, /\nExample:\n/);
});
