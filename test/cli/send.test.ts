import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { CommandContext } from '#relay/cli/command.js';
import { send } from '#relay/cli/send.js';
import { standIn } from '../helpers/cli.js';
import { freePort } from '../helpers/free_port.js';
import { RunningProgram } from '../helpers/process.js';
import { mint, startRelay } from '../helpers/relay.js';
import { type Cleanup, startDestination } from '../helpers/scripted_destination.js';

type Options = Parameters<typeof standIn>[0] & { readonly signal?: AbortSignal };

async function run(argv: readonly string[], { signal, ...options }: Options = {}) {
  const { context, written } = standIn({ argv, ...options });
  const ours: CommandContext = { ...context, interruption: () => signal ?? context.interruption() };
  return { status: await send.run(ours), ...written };
}

/** A relay and a destination, and the flags to send from one to the other. */
async function open(t: Cleanup) {
  const destination = await startDestination(t);
  const relay = await startRelay(t);
  const env = { EXPORT_RELAY_URL: relay.url, EXPORT_RELAY_MACAROON: mint() };
  return { destination, relay, env, to: `--to=${destination.url}` };
}

function directory(t: Cleanup): string {
  const path = mkdtempSync(join(tmpdir(), 'send-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('data is sent, its states are told on stderr, and the body of the answer is what stdout gets', async (t) => {
  const { destination, env, to } = await open(t);
  const { status, stdout, stderr } = await run([to, '--purpose=a test', '--header=x-a: b c', '{"n":1.0}'], {
    env,
  });
  t.is(status, 0);
  t.is(stdout, 'ok');
  t.regex(
    stderr,
    /^data: Pending, job [0-9a-f-]{36}\n(data: Processing, attempt 1\n)?data: 200 OK \(job [0-9a-f-]{36}\)\n$/,
  );
  t.is(destination.arrivals[0]?.body.toString(), '{"n":1.0}');
  t.is(destination.arrivals[0]?.headers['x-a'], 'b c');
});

test('the standard input is sent byte for byte, and flags go before variables', async (t) => {
  const { destination, relay, to } = await open(t);
  const env = { EXPORT_RELAY_URL: 'http://127.0.0.1:1', EXPORT_RELAY_MACAROON: 'AAAA' };
  const argv = [to, `--url=${relay.url}`, `--macaroon=${mint()}`, '-'];
  const { status } = await run(argv, { env, stdin: ' [1e400, "ü"]\n' });
  t.is(status, 0);
  t.is(destination.arrivals[0]?.body.toString(), ' [1e400, "ü"]\n');
});

test('many files are many jobs, and their results come in the order of the command line', async (t) => {
  const { destination, env, to } = await open(t);
  destination.script = ({ body }, response) => response.writeHead(body.length > 5 ? 500 : 200).end('x');
  const home = directory(t);
  const files = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, index) => {
    writeFileSync(join(home, name), `[${'1'.repeat(index + 1)}]`);
    return join(home, name);
  });
  const plain = await run([to, '--concurrency=3', ...files], { env });
  t.is(plain.status, 1);
  t.deepEqual(
    plain.stdout.split('\n').map((line) => line.replace(/ \(job.*/, '')),
    [...files.map((file, index) => `${file}: ${index < 3 ? '200 OK' : '500 Internal Server Error'}`), ''],
  );
  const json = await run([to, '--json', ...files], { env });
  t.is(json.status, 1);
  const jobs = json.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { ext_response: { status: string } });
  t.deepEqual(
    jobs.map(({ ext_response: { status } }) => status.slice(0, 3)),
    ['200', '200', '200', '500', '500', '500'],
  );
});

test('--no-wait prints the ids and nothing else', async (t) => {
  const { destination, env, to } = await open(t);
  destination.script = () => undefined;
  const { status, stdout } = await run([to, '--no-wait', '{}', '[]'], { env });
  t.is(status, 0);
  t.regex(stdout, /^(?:[0-9a-f-]{36}\n){2}$/);
});

test('--output writes the body, decoded', async (t) => {
  const { destination, env, to } = await open(t);
  const bytes = Buffer.from([0x50, 0x4b, 3, 4, 0xff, 0, 0x80]);
  destination.script = (_arrival, response) => response.end(bytes);
  const output = join(directory(t), 'archive.zip');
  const written = await run([to, '--output', output, '{}'], { env });
  t.is(written.status, 0);
  t.is(written.stdout, '');
  t.deepEqual(readFileSync(output), bytes);
  const shown = await run([to, '{}'], { env });
  t.is(shown.stdout, '');
  t.regex(shown.stderr, /the answer is 7 bytes that are no text: --output FILE writes them/);
});

test('an answer that cannot be written is a failure, and says that the data has arrived', async (t) => {
  const { destination, env, to } = await open(t);
  const home = directory(t);
  destination.script = (_arrival, response) => {
    rmSync(home, { recursive: true });
    response.end('ok');
  };
  const { status, stderr } = await run([to, '--output', join(home, 'x'), '{}'], { env });
  t.is(status, 1);
  t.regex(stderr, /the data has arrived, but its answer cannot be written to ".*" \(ENOENT\)/);
  destination.script = (_arrival, response) => response.end();
  t.is((await run([to, '[]'], { env })).status, 0);
});

for (const [status, exit] of [
  [200, 0],
  [204, 0],
  [299, 0],
  [302, 1],
  [404, 1],
] as const) {
  test(`a destination that answers ${status} makes the exit status ${exit}`, async (t) => {
    const { destination, env, to } = await open(t);
    destination.script = (_arrival, response) => response.writeHead(status).end();
    t.is((await run([to, '{}'], { env })).status, exit);
  });
}

test('what went wrong is said in words', async (t) => {
  const { relay, env, to } = await open(t);
  const gone = `http://127.0.0.1:${await freePort()}/`;
  const narrow = mint('destination = https://a.example/in');
  for (const [argv, pattern] of [
    [
      [to, '--macaroon', narrow, '{}'],
      /does not permit this: The caveat "destination = https:\/\/a\.example\/in" is not/,
    ],
    [[to, '--macaroon=AAAA', '{}'], /the relay does not know this macaroon/],
    [
      ['--to=http://169.254.1.1/', '{}'],
      /sends nothing there \(link_local\): .*--allow-network; nothing was accepted/,
    ],
    [['--to', gone, '{}'], /gave up after one attempt: .* \(connect_failed, job [0-9a-f-]{36}\)/],
    [[to, '--header=host: x', '{}'], /the relay refuses headers/],
    [[to, '{"a":'], /data: is not JSON: /],
    [[to, 'LICENSE'], /LICENSE: is not JSON: /],
    [
      [to, '--url', gone, '--timeout=2s', '{}'],
      /no answer from the relay at .*ECONNREFUSED.*nothing was accepted/,
    ],
  ] as const) {
    const { status, stderr } = await run(argv, { env });
    t.is(status, 1);
    t.regex(stderr, pattern);
    t.false(stderr.includes(env.EXPORT_RELAY_MACAROON));
  }
  t.truthy(relay);
});

test('with --json, what went wrong is a line too', async (t) => {
  const { env, to } = await open(t);
  const argv = ['--json', '--to=http://169.254.1.1/', '{}', '{'];
  const { stdout } = await run(argv, { env });
  const [refused, broken] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  t.like(refused, { code: 'destination_refused', status: 403 });
  t.like(broken, { error: { code: 'input' } });
  const narrow = await run(
    [to, '--json', `--url=http://127.0.0.1:${await freePort()}`, '--timeout=2s', '{}'],
    { env },
  );
  t.like(JSON.parse(narrow.stdout), { error: { code: 'relay_unreachable' } });
});

test('texts that are not UTF-8, or neither an object nor an array, are not sent', async (t) => {
  const { destination, env, to } = await open(t);
  t.regex((await run([to, '-'], { env, stdin: Buffer.from([0x5b, 0xff, 0x5d]) })).stderr, /is not UTF-8/);
  t.regex((await run([to, '-'], { env, stdin: '12' })).stderr, /neither an object nor an array/);
  t.regex((await run([to, '-'], { env, stdin: '\ufeff[]' })).stderr, /is not JSON/);
  t.is(destination.arrivals.length, 0);
});

test('the same key twice is one export', async (t) => {
  const { destination, env, to } = await open(t);
  for (let times = 0; times < 2; times += 1) {
    t.is((await run([to, '--idempotency-key=monday', '{}'], { env })).status, 0);
  }
  t.is(destination.arrivals.length, 1);
});

test('all mistakes of the command line are told together, before anything is sent', async (t) => {
  const { destination, env, to } = await open(t);
  const none = await run([]);
  t.is(none.status, 2);
  for (const pattern of [
    /--to: say/,
    /--url: say.*EXPORT_RELAY_URL/,
    /--macaroon: .*EXPORT_RELAY_MACAROON/,
    /nothing to send/,
  ]) {
    t.regex(none.stderr, pattern);
  }
  const many = await run(
    [to, '--url=relay:8080', '--macaroon=se cret', '--header=nonsense', '--purpose=a\nb', 'x'],
    { env },
  );
  t.is(many.status, 2);
  for (const pattern of [
    /--url: expects/,
    /--macaroon: expects/,
    /--header: expects/,
    /--purpose: expects/,
    /no file "x"/,
  ]) {
    t.regex(many.stderr, pattern);
  }
  t.notRegex(many.stderr, /se cret/);
  const mixed = await run([to, '--output=/nowhere/x', '--no-wait', '--idempotency-key=k', '-', '-', 'src'], {
    env,
  });
  t.is(mixed.status, 2);
  for (const pattern of [
    /one file cannot hold/,
    /names one export/,
    /with --no-wait/,
    /"\/nowhere"/,
    /sent once/,
    /is a directory/,
  ]) {
    t.regex(mixed.stderr, pattern);
  }
  t.regex((await run([to, '--output=src', '{}'], { env })).stderr, /--output: "src" is a directory/);
  t.is(destination.arrivals.length, 0);
});

test('an interruption ends the wait, names the jobs that go on, and sends no more', async (t) => {
  const { destination, env, to } = await open(t);
  destination.script = () => undefined;
  const controller = new AbortController();
  const running = run([to, '--concurrency=1', '{}', '[]', '[1]'], { env, signal: controller.signal });
  await destination.arrived(1);
  controller.abort();
  const { status, stdout, stderr } = await running;
  t.is(status, 1);
  t.regex(stdout, /^data 1: interrupted; job [0-9a-f-]{36} was (?:Pending|Processing) when last seen\n$/);
  t.regex(stderr, /interrupted, 2 not sent\n$/);
});

test('on a terminal one export is a line that is drawn over and over, as wide as the terminal at most', async (t) => {
  const { env, to } = await open(t);
  const { stdout, stderr } = await run([to, '{}'], { env, columns: 20 });
  t.is(stdout, 'ok');
  const lines = stderr.split('\r\u001b[K').filter((line) => line !== '');
  for (const line of lines.slice(0, -1)) {
    t.true(line.length < 20, line);
    t.regex(line, /, 0\.0 s$/);
  }
  t.regex(lines.at(-1) ?? '', /^✔ 200 OK \(job [0-9a-f-]{36}\), 0\.0 s\n$/);
  t.true(lines.some((line) => line.includes('Pending')));
});

test('on a terminal many exports are a bar, and what failed stays above it', async (t) => {
  const { destination, env, to } = await open(t);
  destination.script = ({ body }, response) =>
    response.writeHead(body.toString() === '[2]' ? 404 : 200).end();
  const { stderr, stdout } = await run([to, '[1]', '[2]', '[3]', '[4]'], { env, columns: 80 });
  const lines = stderr.split('\r\u001b[K');
  t.true(lines.includes('░░░░░░░░░░░░░░░░░░░░░░░░ 0/4, 0.0 s'));
  t.true(lines.some((line) => /^✘ data 2: 404 Not Found \(job .*\)\n$/.test(line)));
  t.is(lines.at(-1), '████████████████████████ 4/4, 1 failed, 0.0 s\n');
  t.is(stdout.split('\n').length, 5);

  const narrow = await run([to, '--concurrency=1', '[1]', '[2]', '[3]'], { env, columns: 40 });
  const bars = narrow.stderr.split('\r\u001b[K').filter((line) => /^[█░]/.test(line));
  t.true(bars.some((line) => line.includes('1 failed, 1 under way, 0.0 s')));
  for (const line of bars) t.true(line.trimEnd().length < 40, line);
});

test('the binary sends what is piped into it', async (t) => {
  const { destination, env, to } = await open(t);
  const program = new RunningProgram(t, ['send', to, '{"from":"the binary"}'], env);
  t.is(await program.exited(), 0);
  t.is(program.stdout, 'ok');
  t.is(destination.arrivals[0]?.body.toString(), '{"from":"the binary"}');
});
