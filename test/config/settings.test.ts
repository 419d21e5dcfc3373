import { parseNetwork } from '#relay/egress/network.js';
import test from 'ava';
import { parseConfig } from '#relay/config/parse.js';
import { type Config, settings } from '#relay/config/settings.js';

function raise(): never {
  throw new Error('the network of this test is not valid');
}

/** For each setting: a text that is read, what it amounts to, and texts that are refused. */
const cases: {
  readonly [Name in keyof Config]: {
    readonly good: string;
    readonly value: Config[Name];
    readonly bad: readonly string[];
  };
} = {
  port: { good: '0', value: 0, bad: ['65536', 'http', '80.5'] },
  host: { good: '[::1]', value: '::1', bad: ['256.0.0.1', 'a b'] },
  name: { good: 'other', value: 'other', bad: ['two words'] },
  secrets: { good: 'one', value: ['one'], bad: [' one', 'one\n'] },
  arbiter: {
    good: 'tcp://arbiter',
    value: { protocol: 'zest', address: 'tcp://arbiter:4444', ipv6: false },
    bad: ['arbiter:4444', 'ftp://arbiter/', 'https://arbiter/?x'],
  },
  secretsDir: { good: '/elsewhere', value: '/elsewhere', bad: [] },
  tls: { good: 'relay.pem', value: 'relay.pem', bad: [] },
  journal: { good: '/var/lib/export-relay', value: '/var/lib/export-relay', bad: [] },
  dev: { good: 'true', value: true, bad: ['perhaps'] },
  concurrency: { good: '8', value: 8, bad: ['0', '-1', '1.5'] },
  laneConcurrency: { good: '2', value: 2, bad: ['0'] },
  maxQueued: { good: '5', value: 5, bad: ['0', 'many'] },
  maxQueuedPerLane: { good: '5', value: 5, bad: ['0'] },
  maxBodyBytes: { good: '2mb', value: 2_097_152, bad: ['0', '257mb', '1tb'] },
  maxResponseBytes: { good: '64kb', value: 65_536, bad: ['0', '65mb'] },
  maxMemoryBytes: { good: '1.5gb', value: 1_610_612_736, bad: ['0', '2000gb'] },
  maxKept: { good: '10', value: 10, bad: ['0'] },
  resultTtlMs: { good: '30d', value: 2_592_000_000, bad: ['0', '400d'] },
  attempts: { good: '1', value: 1, bad: ['0', '101'] },
  attemptTimeoutMs: { good: '500ms', value: 500, bad: ['0', '25d', '1y'] },
  queueTimeoutMs: { good: '90d', value: 7_776_000_000, bad: ['0', '1y'] },
  jobTimeoutMs: { good: '1h', value: 3_600_000, bad: ['0', '25d'] },
  maxWaitMs: { good: '0', value: 0, bad: ['-1', '25d'] },
  maxWaiters: { good: '1', value: 1, bad: ['0'] },
  maxConnections: { good: '100', value: 100, bad: ['0'] },
  requestTimeoutMs: { good: '2.5', value: 2500, bad: ['0', '25d'] },
  allowHttp: { good: 'on', value: true, bad: ['si'] },
  allowNetworks: {
    good: '10.0.0.0/8',
    value: [parseNetwork('10.0.0.0/8') ?? raise()],
    bad: ['10.0.0.1/8', '::/129'],
  },
  allowDestinations: { good: 'https://a.example/*', value: ['https://a.example/*'], bad: ['a.example'] },
  corsOrigins: {
    good: 'HTTPS://App.Example:443',
    value: ['https://app.example'],
    bad: [
      '*',
      'null',
      'https://app.example/',
      'https://*.app.example',
      'app.example',
      'https://',
      'file://x',
    ],
  },
  signingKeys: {
    good: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    value: [Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64')],
    bad: [
      'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      'whsec_dG9vIHNob3J0',
      'whsec_!!!',
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw=',
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS_',
      `whsec_${'A'.repeat(88)}`,
    ],
  },
  requireDestination: { good: 'yes', value: true, bad: ['2'] },
  admin: {
    good: '[::1]:9000',
    value: { host: '::1', port: 9000 },
    bad: ['8081', '127.0.0.1', '127.0.0.1:65536', '::1:8081', 'a b:80', ':8081', 'no'],
  },
  audit: { good: '/var/lib/relay/audit.log', value: '/var/lib/relay/audit.log', bad: [] },
  auditMaxBytes: { good: '1mb', value: 1_048_576, bad: ['1kb', '2gb'] },
  adminHistory: { good: '1000', value: 1000, bad: ['0', '10000001'] },
  logLevel: { good: 'debug', value: 'debug', bad: ['loud'] },
};

/** What holds when nobody sets anything. */
const defaults: Config = {
  port: 8080,
  host: '0.0.0.0',
  name: 'export-service',
  secrets: ['s'],
  arbiter: undefined,
  secretsDir: '/run/secrets',
  tls: undefined,
  journal: undefined,
  dev: false,
  concurrency: 256,
  laneConcurrency: 1,
  maxQueued: 10_000,
  maxQueuedPerLane: 1000,
  maxBodyBytes: 1_048_576,
  maxResponseBytes: 1_048_576,
  maxMemoryBytes: 268_435_456,
  maxKept: 100_000,
  resultTtlMs: 3_600_000,
  attempts: 4,
  attemptTimeoutMs: 30_000,
  queueTimeoutMs: 86_400_000,
  jobTimeoutMs: 600_000,
  maxWaitMs: 55_000,
  maxWaiters: 20_000,
  maxConnections: 25_000,
  requestTimeoutMs: 30_000,
  allowHttp: false,
  allowNetworks: [],
  allowDestinations: [],
  requireDestination: false,
  corsOrigins: [],
  signingKeys: [],
  admin: { host: '127.0.0.1', port: 8081 },
  audit: undefined,
  auditMaxBytes: 67_108_864,
  adminHistory: 100_000,
  logLevel: 'info',
};

test('a secret is all it takes: everything else has the default that is documented', (t) => {
  const parsed = parseConfig({ argv: ['--secret', 's'], env: {} });
  t.deepEqual(parsed.ok && parsed.config, defaults);
});

const names = Object.keys(cases).filter((name): name is keyof Config => Object.hasOwn(settings, name));

test('every setting has its cases', (t) => {
  t.deepEqual([...names].sort(), Object.keys(settings).sort());
});

test('no two settings share a flag or a variable', (t) => {
  const table = Object.values(settings);
  for (const key of ['flag', 'short', 'variable'] as const) {
    const used = table.map((setting) => setting[key]).filter((value) => value !== undefined);
    t.is(new Set(used).size, used.length, key);
  }
});

for (const name of names) {
  const { flag, variable, secret } = settings[name];
  const { good, value, bad } = cases[name];
  // Settings that are about something else need a secret beside them.
  const beside = name === 'secrets' || name === 'dev' ? {} : { EXPORT_SECRET: 's' };

  test(`--${flag} is read from the flag`, (t) => {
    const parsed = parseConfig({ argv: [`--${flag}=${good}`], env: beside });
    t.true(parsed.ok, JSON.stringify(parsed));
    t.deepEqual(parsed.ok && parsed.config[name], value);
    t.deepEqual(parsed.ok && parsed.sources[name], { from: 'flag', name: `--${flag}` });
  });

  for (const text of bad) {
    test(`--${flag} refuses ${JSON.stringify(text)} and says what it expects`, (t) => {
      const parsed = parseConfig({
        argv: [`--${flag}=${text}`],
        env: beside,
      });
      const mistakes = parsed.ok ? [] : parsed.mistakes;
      const found =
        mistakes.find((mistake) => mistake.startsWith(`--${flag}: expects `)) ?? mistakes.join('\n');
      t.regex(found, new RegExp(`^--${flag}: expects .+; got .+`, 's'));
      t.is(found.includes(text), !secret);
    });
  }

  if (variable === undefined) continue;
  test(`${variable} is read from the environment, and the flag beats it`, (t) => {
    const env = { ...beside, [variable]: good };
    const parsed = parseConfig({ argv: [], env });
    t.deepEqual(parsed.ok && parsed.config[name], value);
    t.deepEqual(parsed.ok && parsed.sources[name], { from: 'environment', name: variable });
    const both = parseConfig({ argv: [`--${flag}=${good}`], env: { ...env, [variable]: bad[0] ?? '' } });
    t.deepEqual(both.ok && both.config[name], value);
  });

  for (const text of bad.slice(0, 1)) {
    test(`a bad ${variable} is named by the variable`, (t) => {
      const parsed = parseConfig({ argv: [], env: { ...beside, [variable]: text } });
      t.true(!parsed.ok && parsed.mistakes.some((mistake) => mistake.startsWith(`${variable}: expects `)));
    });
  }

  test(`an empty ${variable} counts as not set`, (t) => {
    const parsed = parseConfig({ argv: ['--secret=s'], env: { [variable]: '' } });
    t.deepEqual(parsed.ok && parsed.config[name], defaults[name]);
  });
}
