import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { once } from 'node:events';
import tls, { type TLSSocket, connect } from 'node:tls';
import test from 'ava';
import { WebSocket } from 'ws';
import { eventually } from '../helpers/eventually.js';
import { FakeClock } from '../helpers/fake_clock.js';
import { secretsDirectory, startOnPlatform } from '../helpers/platform.js';
import { type RelayUnderTest, mint, secret } from '../helpers/relay.js';
import { testCa } from '../helpers/tls.js';
import { loadCertificate } from '#relay/tls/certificate.js';
import type { Cleanup } from '../helpers/scripted_destination.js';

const good = readFileSync('test/fixtures/tls/localhost.pem', 'utf8');
const other = readFileSync('test/fixtures/tls/other_name.pem', 'utf8');
const key = (pem: string): string =>
  /-----BEGIN PRIVATE KEY-----[^]*?-----END PRIVATE KEY-----/.exec(pem)?.[0] ?? '';
const cert = (pem: string): string =>
  /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/.exec(pem)?.[0] ?? '';

test('certificate and key may come in any order, and must belong together', async (t) => {
  const directory = await secretsDirectory(t, {
    good,
    swapped: `${key(good)}\n${cert(good)}\n`,
    strangers: `${cert(good)}\n${key(other)}\n`,
    keyless: cert(good),
    lonely: key(good),
    rubbish: 'rubbish',
    large: 'x'.repeat(300_000),
  });
  const reason = async (name: string): Promise<string> => {
    const loaded = await loadCertificate(join(directory, name));
    return loaded.ok ? 'ok' : loaded.reason;
  };
  t.is(await reason('good'), 'ok');
  t.is(await reason('swapped'), 'ok');
  t.regex(await reason('strangers'), /not its certificate/);
  for (const name of ['keyless', 'lonely', 'rubbish']) t.regex(await reason(name), /does not hold/, name);
  t.regex(await reason('large'), /longer than/);
  t.regex(await reason('absent'), /does not exist/);
  t.regex(await reason('.'), /is not a file/);
});

async function open(t: Cleanup, relay: RelayUnderTest): Promise<TLSSocket> {
  const socket = connect({ port: relay.port, host: '127.0.0.1', rejectUnauthorized: false });
  t.teardown(() => socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

/** Looking at a file is real; only the time between two looks is not. */
async function nextLook(relay: RelayUnderTest, clock: FakeClock, line: string): Promise<void> {
  await eventually(async () => {
    await clock.advance(5000);
    return relay.log.includes(line);
  });
}

test('a new certificate serves new connections, and those that are open stay; a bad one changes nothing', async (t) => {
  const directory = await secretsDirectory(t, { 'DATABOX.pem': good });
  const clock = new FakeClock();
  const relay = await startOnPlatform(t, { EXPORT_SECRETS_DIR: directory, EXPORT_SECRET: 's' }, { clock });
  const path = join(directory, 'DATABOX.pem');
  const before = await open(t, relay);
  t.is(before.getPeerCertificate().subject.CN, 'localhost');
  await eventually(() => clock.delaysMs.includes(5000));
  await writeFile(`${path}.new`, 'half a cert');
  await rename(`${path}.new`, path);
  await nextLook(relay, clock, 'cannot be used');
  t.is((await open(t, relay)).getPeerCertificate().subject.CN, 'localhost');
  await writeFile(`${path}.new`, other);
  await rename(`${path}.new`, path);
  await nextLook(relay, clock, 'is in use');
  t.is((await open(t, relay)).getPeerCertificate().subject.CN, 'other_name');
  before.write('POST /export HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
  const [answer] = (await once(before, 'data')) as [Buffer];
  t.regex(answer.toString(), /^HTTP\/1\.1 401 /);
});

test('versions of TLS before 1.2 are not spoken, before a new certificate and after it', async (t) => {
  // As NODE_OPTIONS and OpenSSL's configuration can allow it to everything that does not say for itself.
  tls.DEFAULT_MIN_VERSION = 'TLSv1';
  tls.DEFAULT_CIPHERS = 'DEFAULT@SECLEVEL=0';
  const directory = await secretsDirectory(t, { 'DATABOX.pem': good });
  const clock = new FakeClock();
  const relay = await startOnPlatform(t, { EXPORT_SECRETS_DIR: directory, EXPORT_SECRET: 's' }, { clock });
  await refusesOldVersions();
  await eventually(() => clock.delaysMs.includes(5000));
  await writeFile(join(directory, 'DATABOX.pem'), other);
  await nextLook(relay, clock, 'is in use');
  t.is((await open(t, relay)).getPeerCertificate().subject.CN, 'other_name');
  await refusesOldVersions();

  async function refusesOldVersions(): Promise<void> {
    const socket = connect({
      port: relay.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      maxVersion: 'TLSv1.1',
    });
    t.teardown(() => socket.destroy());
    const [error] = (await Promise.race([
      once(socket, 'error'),
      once(socket, 'secureConnect').then(() => [new Error(`it speaks ${socket.getProtocol()}`)]),
    ])) as [NodeJS.ErrnoException];
    t.regex(`${error.code} ${error.message}`, /ALERT_PROTOCOL_VERSION/);
  }
});

test('a WebSocket is served over TLS too', async (t) => {
  const directory = await secretsDirectory(t, { 'DATABOX.pem': good });
  const relay = await startOnPlatform(t, { EXPORT_SECRETS_DIR: directory, EXPORT_SECRET: secret });
  const socket = new WebSocket(
    `${relay.url.replace('https', 'wss')}/ws/export`,
    ['export-relay', `macaroon.${mint()}`],
    {
      ca: testCa(),
    },
  );
  t.teardown(() => socket.terminate());
  await once(socket, 'open');
  t.is(socket.protocol, 'export-relay');
  socket.send('{"id":"x"}');
  const [answer] = (await once(socket, 'message')) as [Buffer];
  t.like(JSON.parse(answer.toString()), { code: 'unknown_job', status: 404 });
});
