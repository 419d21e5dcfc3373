import test from 'ava';
import { parseConfig, type ParsedConfig } from '#relay/config/parse.js';

type Env = Readonly<Record<string, string>>;

function parse(argv: readonly string[], env: Env = {}): ParsedConfig {
  return parseConfig({ argv, env });
}

function mistakesOf(argv: readonly string[], env: Env = {}): readonly string[] {
  const parsed = parse(argv, env);
  return parsed.ok ? [] : parsed.mistakes;
}

test('all mistakes are reported at once, each under the name that was used', (t) => {
  const mistakes = mistakesOf(
    ['--port', '80a', '--bogus', '--max-body=1tb', 'word', '--attempts', '0', '--host'],
    { EXPORT_RESULT_TTL: 'soon', EXPORT_ALLOW_NETWORKS: '10.0.0.0/8,,x' },
  );
  t.deepEqual(
    mistakes.map((mistake) => /^(?:unknown flag |unexpected )?[\w-]+/.exec(mistake)?.[0]),
    [
      'unknown flag --bogus',
      'unexpected argument',
      '--host',
      '--port',
      '--max-body',
      'EXPORT_RESULT_TTL',
      '--attempts',
      'EXPORT_ALLOW_NETWORKS',
      'EXPORT_ALLOW_NETWORKS',
      'there',
    ],
  );
  t.true(mistakes.every((mistake) => !mistake.includes('\n')));
});

test('only the command line being wrong is told apart from a setting being wrong', (t) => {
  const usage = (argv: readonly string[]): boolean | undefined => {
    const parsed = parse(argv);
    return parsed.ok ? undefined : parsed.usage;
  };
  t.is(usage(['--dev', '--bogus', 'argument']), true);
  t.is(usage(['--dev', '--bogus', '--port', 'x']), false);
  t.is(usage(['--dev', '--port']), false);
  t.is(usage([]), false);
});

test('without a secret, the ways to one are named', (t) => {
  const [mistake = '', ...others] = mistakesOf([]);
  t.deepEqual(others, []);
  t.regex(mistake, /no macaroon secret.*--secret \(EXPORT_SECRET\).*--dev/);
});

test('a secret that could not be read is not reported as missing too', (t) => {
  t.is(mistakesOf(['--secret=']).length, 1);
  t.is(mistakesOf(['--secret']).length, 1);
  t.is(mistakesOf([], { EXPORT_SECRET: 'a,,b' }).length, 1);
});

test('several secrets are given by repeating the flag, or with commas in the variable', (t) => {
  const byFlag = parse(['-s', 'a,b', '--secret', 'c'], { EXPORT_SECRET: 'd' });
  t.deepEqual(byFlag.ok && byFlag.config.secrets, ['a,b', 'c']);
  const byVariable = parse([], { EXPORT_SECRET: 'a,b' });
  t.deepEqual(byVariable.ok && byVariable.config.secrets, ['a', 'b']);
});

test('no mistake repeats a secret', (t) => {
  const mistakes = [
    ...mistakesOf(['--secret', ' hunter2', '--port', 'x']),
    ...mistakesOf([], { EXPORT_SECRET: 'hunter2, hunter3' }),
    ...mistakesOf(['--secret', 'a', 'hunter2', '--secret=hunter3 ']),
    ...mistakesOf(['--dev', '--allow-destination', 'https://user:hunter2@a.example/']),
  ];
  t.is(mistakes.length, 6, mistakes.join('\n'));
  t.notRegex(mistakes.join('\n'), /hunter/);
  t.regex(mistakes.join('\n'), /\[redacted\]/);
});

test('commas in a repeatable flag are refused with the way out', (t) => {
  const [mistake = ''] = mistakesOf(['--dev', '--allow-network', '10.0.0.0/8,fd00::/8']);
  t.regex(mistake, /give the flag once for each value/);
});

test('the last of several values counts, so that a wrapper can be overridden', (t) => {
  const parsed = parse(['--dev', '--port', '1', '-p', '2', '--allow-http', '--no-allow-http']);
  t.is(parsed.ok && parsed.config.port, 2);
  t.is(parsed.ok && parsed.config.allowHttp, false);
});

test('an attempt may not be given longer than its whole job', (t) => {
  for (const [argv, why] of [
    [['--attempt-timeout', '2m', '--job-timeout', '1m'], 'both set'],
    [['--attempt-timeout', '11m'], 'against the default'],
  ] as const) {
    const [mistake = '', ...others] = mistakesOf(['--dev', ...argv]);
    t.regex(mistake, /^--attempt-timeout: expects at most .*--job-timeout\); got (?:2|11)m$/, why);
    t.deepEqual(others, []);
  }
  t.true(parse(['--dev', '--attempt-timeout', '1m', '--job-timeout', '1m']).ok);
});

test('a shorter job timeout shortens an attempt timeout that nobody set', (t) => {
  const parsed = parse(['--dev', '--job-timeout', '2s']);
  t.is(parsed.ok && parsed.config.attemptTimeoutMs, 2000);
  t.deepEqual(parsed.ok && parsed.sources.attemptTimeoutMs, { from: 'consequence', name: '--job-timeout' });
});

test('a check of two settings waits until both can be read', (t) => {
  t.is(mistakesOf(['--dev', '--attempt-timeout', '2m', '--job-timeout', 'x']).length, 1);
});

test('a service that would accept any certificate does not start', (t) => {
  const [mistake = ''] = mistakesOf(['--dev'], { NODE_TLS_REJECT_UNAUTHORIZED: '0' });
  t.regex(mistake, /^NODE_TLS_REJECT_UNAUTHORIZED: .*any certificate/);
  t.true(parse(['--dev'], { NODE_TLS_REJECT_UNAUTHORIZED: '1' }).ok);
});

test('proxy variables are named as having no effect, and their values are not', (t) => {
  for (const name of ['HTTP_PROXY', 'https_proxy', 'All_Proxy', 'NODE_USE_ENV_PROXY']) {
    const parsed = parse(['--dev'], { [name]: 'http://user:hunter2@proxy.example' });
    const notices = parsed.ok ? parsed.notices : [];
    t.is(notices.length, 1, name);
    t.true(notices[0]?.startsWith(`${name} is ignored`));
    t.notRegex(notices[0] ?? '', /hunter2/);
  }
  const none = parse(['--dev'], { HTTP_PROXY: '', NO_PROXY: '*' });
  t.deepEqual(none.ok && none.notices, []);
});

test('a variable that looks like a misspelt setting is pointed out', (t) => {
  const noticed = (name: string): readonly string[] | false => {
    const parsed = parse(['--dev'], { [name]: 'hunter2' });
    return parsed.ok && parsed.notices;
  };
  t.deepEqual(noticed('EXPORT_REQUIRE_DESTINATIONS'), [
    'EXPORT_REQUIRE_DESTINATIONS is not a setting and is ignored: did you mean EXPORT_REQUIRE_DESTINATION?',
  ]);
  t.regex(String(noticed('EXPORT_PORT')), /did you mean DATABOX_LOCAL_PORT\?/);
  for (const name of ['EXPORT_RELAY_URL', 'EXPORT_SOMETHING', 'EXPORT_SECRET', 'PORT', 'DATABOX_VERSION']) {
    t.deepEqual(noticed(name), [], name);
  }
});

test('names of object members are neither flags nor variables', (t) => {
  const parsed = parse(['--dev', '--constructor'], { toString: 'y' });
  t.deepEqual(parsed.ok ? [] : parsed.mistakes, ['unknown flag --constructor: see --help']);
});

test('--print-config is noticed and is no part of the configuration', (t) => {
  const parsed = parse(['--dev', '--print-config']);
  t.is(parsed.ok && parsed.printConfig, true);
  t.false(parsed.ok && 'printConfig' in parsed.config);
});
