import type { Config } from '#relay/config/settings.js';
import test from 'ava';
import { isLoopback } from '#relay/config/effective.js';
import { parseConfig } from '#relay/config/parse.js';

function allowedBy({ allowNetworks }: Config): readonly string[] {
  return allowNetworks.map(({ text }) => text);
}

test('--dev listens on this machine only and lets exports reach what is near', (t) => {
  const parsed = parseConfig({ argv: ['--dev'], env: {} });
  t.true(parsed.ok);
  if (!parsed.ok) return;
  t.is(parsed.config.host, '127.0.0.1');
  t.true(parsed.config.allowHttp);
  t.true(allowedBy(parsed.config).includes('127.0.0.0/8'));
  t.true(allowedBy(parsed.config).includes('192.168.0.0/16'));
  t.deepEqual(parsed.config.secrets, []);
  t.deepEqual(parsed.sources.host, { from: 'consequence', name: '--dev' });
});

test('--dev never opens link-local networks, where clouds keep their credentials', (t) => {
  const parsed = parseConfig({ argv: ['--dev'], env: {} });
  const networks = parsed.ok ? allowedBy(parsed.config) : ['169.254.0.0/16'];
  t.false(networks.some((network) => network.startsWith('169.254.') || network.startsWith('fe80')));
});

test('--dev leaves what somebody set as it was set', (t) => {
  const parsed = parseConfig({
    argv: ['--dev', '--host', '::1', '--no-allow-http', '--allow-network', '100.64.0.0/10', '--secret', 's'],
    env: {},
  });
  t.true(parsed.ok);
  if (!parsed.ok) return;
  t.is(parsed.config.host, '::1');
  t.false(parsed.config.allowHttp);
  t.is(allowedBy(parsed.config)[0], '100.64.0.0/10');
  t.true(parsed.config.allowNetworks.length > 1);
  t.deepEqual(parsed.config.secrets, ['s']);
});

for (const given of [
  { argv: ['--dev', '--host', '0.0.0.0'], env: {}, name: '--host' },
  { argv: ['--dev'], env: { EXPORT_HOST: '192.168.1.2' }, name: 'EXPORT_HOST' },
  { argv: ['--dev', '--host=relay.example'], env: {}, name: '--host' },
]) {
  test(`--dev refuses ${JSON.stringify([given.argv, given.env])}: others could reach it`, (t) => {
    const parsed = parseConfig(given);
    t.true(!parsed.ok && !parsed.usage);
    t.regex(parsed.ok ? '' : parsed.mistakes.join('\n'), new RegExp(`^${given.name}: .*loopback`));
  });
}

test('what is open to others without --dev is not opened by turning it off', (t) => {
  const parsed = parseConfig({ argv: ['--dev=false', '--secret', 's'], env: {} });
  t.is(parsed.ok && parsed.config.host, '0.0.0.0');
  t.deepEqual(parsed.ok && parsed.config.allowNetworks, []);
  t.false(parsed.ok && parsed.config.allowHttp);
});

for (const [host, loopback] of [
  ['127.0.0.1', true],
  ['127.255.255.254', true],
  ['::1', true],
  ['0:0:0:0:0:0:0:1', true],
  ['::ffff:127.0.0.1', true],
  ['LOCALHOST', true],
  ['0.0.0.0', false],
  ['::', false],
  ['128.0.0.1', false],
  ['::ffff:10.0.0.1', false],
  ['localhost.example', false],
  ['127.0.0.1.example', false],
] as const) {
  test(`listening on ${host} ${loopback ? 'stays on' : 'may leave'} this machine`, (t) => {
    t.is(isLoopback(host), loopback);
  });
}

test('where the port is free to choose, so is the port of the admin listener, unless it is set', (t) => {
  const free = parseConfig({ argv: ['--secret=s', '--port=0'], env: {} });
  t.deepEqual(free.ok && free.config.admin, { host: '127.0.0.1', port: 0 });
  t.deepEqual(free.ok && free.sources.admin, { from: 'consequence', name: '--port' });
  const set = parseConfig({ argv: ['--secret=s', '--port=0', '--admin=127.0.0.1:9000'], env: {} });
  t.deepEqual(set.ok && set.config.admin, { host: '127.0.0.1', port: 9000 });
  const off = parseConfig({ argv: ['--secret=s', '--port=0'], env: { EXPORT_ADMIN: 'off' } });
  t.is(off.ok && off.config.admin, 'off');
});

test('--dev keeps the admin listener on this machine, too', (t) => {
  const parsed = parseConfig({ argv: ['--dev'], env: { EXPORT_ADMIN: '0.0.0.0:8081' } });
  t.regex(parsed.ok ? '' : parsed.mistakes.join('\n'), /^EXPORT_ADMIN: .*loopback.*0\.0\.0\.0:8081/);
});
