import test from 'ava';
import fc from 'fast-check';
import { expiry } from '#relay/cli/expiry.js';
import { mint } from '#relay/cli/mint.js';
import { standIn } from '../helpers/cli.js';

type Env = Readonly<Record<string, string>>;

async function run(argv: readonly string[], env: Env = {}) {
  const { context, written } = standIn({ argv, env });
  return { status: await mint.run(context), ...written };
}

/** The caveats of a macaroon, out of its packets: four digits of length, key, space, value, line feed. */
function caveatsOf(macaroon: string): readonly string[] {
  const bytes = Buffer.from(macaroon.trim(), 'base64url');
  const caveats: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = parseInt(bytes.toString('utf8', at, at + 4), 16);
    const packet = bytes.toString('utf8', at + 4, at + length - 1);
    if (packet.startsWith('cid ')) caveats.push(packet.slice(4));
    at += length;
  }
  return caveats;
}

async function mintedCaveats(...argv: readonly string[]): Promise<readonly string[]> {
  const { status, stdout, stderr } = await run(['--secret', 's', ...argv]);
  return status === 0 ? caveatsOf(stdout) : [stderr];
}

test('a macaroon without caveats is the one that libmacaroons publishes', async (t) => {
  const { status, stdout, stderr } = await run([
    '--secret',
    'this is our super secret key; only we should know it',
    '--identifier=we used our secret key',
    '--location=http://mybank/',
  ]);
  t.is(status, 0);
  t.is(stderr, '');
  t.is(
    stdout,
    'MDAxY2xvY2F0aW9uIGh0dHA6Ly9teWJhbmsvCjAwMjZpZGVudGlmaWVyIHdlIHVzZWQgb3VyIHNlY3JldCBrZXkKMDAyZnNpZ25hdHVyZSDj2eApCFJsTAA5rhURQRXZf91ovyujebNCqvD2F9BVLwo\n',
  );
});

test("a macaroon as the platform's arbiter mints it: no identifier, no location, its order of caveats", async (t) => {
  const { stdout } = await run([
    '--target=export-service',
    '--destination=https://export.amar.io/',
    '--method=post',
    '--path=/lp/export',
    '--secret=6f1a3c1e-2f7b-4f7a-9a6e-0c7a4b8d9e10',
  ]);
  t.is(
    stdout,
    'MDAwZWxvY2F0aW9uIAowMDEwaWRlbnRpZmllciAKMDAxYWNpZCBwYXRoID0gL2xwL2V4cG9ydAowMDE2Y2lkIG1ldGhvZCA9IFBPU1QKMDAyMGNpZCB0YXJnZXQgPSBleHBvcnQtc2VydmljZQowMDJlY2lkIGRlc3RpbmF0aW9uID0gaHR0cHM6Ly9leHBvcnQuYW1hci5pby8KMDAyZnNpZ25hdHVyZSAmrxYYeMxxan0va9qP0c-mM-tLC80cLkUU6-SppjtwYQo\n',
  );
});

test('nothing is restricted unless it is asked for', async (t) => {
  t.deepEqual(await mintedCaveats(), []);
});

test('the time comes after what the arbiter writes, and other caveats last, in their order', async (t) => {
  t.deepEqual(
    await mintedCaveats(
      '--caveat=bytes <= 10',
      '--expires=1h',
      '--caveat',
      'action = poll|cancel',
      '--path=*',
    ),
    ['path = *', 'time < 2030-01-31T13:00:00Z', 'bytes <= 10', 'action = poll|cancel'],
  );
});

for (const [written, until, why] of [
  ['1h', '2030-01-31T13:00:00Z', 'a duration from now'],
  ['90', '2030-01-31T12:01:30Z', 'a bare number is seconds'],
  ['1500ms', '2030-01-31T12:00:01.500Z', 'milliseconds where there are any'],
  ['2031-02-28T23:59:59Z', '2031-02-28T23:59:59Z', 'a time'],
  ['2031-02-28t23:59:59z', '2031-02-28T23:59:59Z', 'RFC 3339 ignores case'],
  ['2031-01-01T00:00:00+02:00', '2030-12-31T22:00:00Z', 'a zone is turned into UTC'],
  ['2031-01-01T00:00:00.25Z', '2031-01-01T00:00:00.250Z', 'a fraction'],
  ['2032-02-29T00:00:00Z', '2032-02-29T00:00:00Z', 'a leap day'],
  ['2020-01-01T00:00:00Z', '2020-01-01T00:00:00Z', 'a time that has passed: for trying out what is refused'],
] as const) {
  test(`--expires ${written} ends at ${until}: ${why}`, async (t) => {
    t.deepEqual(await mintedCaveats('--expires', written), [`time < ${until}`]);
  });
}

for (const [written, why] of [
  ['soon', 'no time'],
  ['', 'empty'],
  ['2031-01-01', 'a day'],
  ['2031-01-01T00:00:00', 'no zone'],
  ['2031-01-01 00:00:00Z', 'a space'],
  ['2031-02-29T00:00:00Z', 'no leap year'],
  ['2031-04-31T00:00:00Z', 'a day too many'],
  ['2031-01-00T00:00:00Z', 'no day'],
  ['2031-13-01T00:00:00Z', 'no month'],
  ['2031-01-01T24:00:00Z', 'no hour'],
  ['2031-01-01T00:00:60Z', 'a leap second'],
  ['2031-01-01T00:00:00+24:00', 'no zone of this world'],
  ['11y', 'no unit'],
  ['4000d', 'longer than ten years'],
] as const) {
  test(`--expires ${JSON.stringify(written)} is refused: ${why}`, async (t) => {
    const { status, stderr } = await run(['--secret=s', `--expires=${written}`]);
    t.is(status, 2);
    t.regex(stderr, /--expires: expects a time with its zone/);
  });
}

test('a printed time to expire is read back as the same', (t) => {
  const at = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }).map((ms) => ({ kind: 'at' as const, ms }));
  const after = fc.integer({ min: 1, max: 3650 * 86_400_000 }).map((ms) => ({ kind: 'after' as const, ms }));
  const property = fc.property(fc.oneof(at, after), (value) => {
    const parsed = expiry.parse(expiry.format(value));
    return parsed.ok && parsed.value.kind === value.kind && parsed.value.ms === value.ms;
  });
  t.notThrows(() => fc.assert(property));
});

test('the secret comes from the flag, else from the variable, where the first of several counts', async (t) => {
  const flag = await run(['--secret', 'one']);
  t.is(flag.status, 0);
  t.is((await run([], { EXPORT_SECRET: 'one,two' })).stdout, flag.stdout);
  t.is((await run(['-s', 'one'], { EXPORT_SECRET: 'two' })).stdout, flag.stdout);
  t.not((await run([], { EXPORT_SECRET: 'two' })).stdout, flag.stdout);
});

test('without a secret, both ways to give one are named', async (t) => {
  for (const env of [{}, { EXPORT_SECRET: '' }]) {
    const { status, stdout, stderr } = await run([], env);
    t.is(status, 2);
    t.is(stdout, '');
    t.regex(stderr, /--secret: .*EXPORT_SECRET/);
  }
});

test('all mistakes are reported together, and none repeats the secret', async (t) => {
  const { status, stdout, stderr } = await run([
    '--secret= hunter2',
    '--path=lp',
    '--method=PO ST',
    '--target=',
    '--destination=a.example',
    '--expires=soon',
    '--caveat= x',
    '--identifier=a\nb',
    '--bogus',
  ]);
  t.is(status, 2);
  t.is(stdout, '');
  for (const flag of [
    'secret',
    'path',
    'method',
    'target',
    'destination',
    'expires',
    'caveat',
    'identifier',
  ]) {
    t.regex(stderr, new RegExp(`^ {2}--${flag}: expects `, 'm'));
  }
  t.regex(stderr, /unknown flag --bogus/);
  t.notRegex(stderr, /hunter2/);
});

test('a restriction is never dropped: giving one twice is a mistake', async (t) => {
  for (const argv of [
    ['--path=/a', '--path=/b'],
    ['--destination=https://a.example/', '--destination=https://b.example/'],
    ['--secret=b'],
  ]) {
    const { status, stderr } = await run(['--secret=s', ...argv]);
    t.is(status, 2);
    t.regex(stderr, /given more than once/);
  }
});

test('no macaroon is minted that a relay would refuse for its size', async (t) => {
  const caveats = (number: number): readonly string[] => Array<string>(number).fill('--caveat=bytes <= 1');
  t.is((await run(['--secret=s', ...caveats(32)])).status, 0);
  const many = await run(['--secret=s', ...caveats(33)]);
  t.is(many.status, 2);
  t.regex(many.stderr, /no such macaroon: .*32 caveats/);
  const long = await run(['--secret=s', `--caveat=destination = https://a.example/${'x'.repeat(4000)}`]);
  t.is(long.status, 2);
  t.is(long.stdout, '');
  t.regex(long.stderr, /no such macaroon: .*4096/);
});

test('the help of mint names every flag and has an example', (t) => {
  for (const flag of 'secret identifier location path method target destination expires caveat'.split(' ')) {
    t.true(mint.help.includes(`--${flag} `), flag);
  }
  t.regex(mint.help, /\nExample:\n/);
});

test('a macaroon that no relay would accept is minted all the same, and said to be one', async (t) => {
  const { status, stdout, stderr } = await run(['--secret=s', '--caveat', 'destnation = x']);
  t.is(status, 0);
  t.deepEqual(caveatsOf(stdout), ['destnation = x']);
  t.regex(stderr, /^export-relay mint: the macaroon allows nothing: /);
});
