import { readFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { eventually } from '../helpers/eventually.js';
import { freePort } from '../helpers/free_port.js';
import { hastyClock } from '../helpers/arbiter_source.js';
import { HttpArbiter } from '../helpers/http_arbiter.js';
import { startOnPlatform, secretsDirectory } from '../helpers/platform.js';
import { type PlatformClient, platformClients } from '../helpers/platform_clients.js';
import { RunningProgram } from '../helpers/process.js';
import { mint, mintWith, type RelayUnderTest } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';
import { contentAnswer, loadReplyZeromq, type ReplyZeromq, ZestArbiter } from '../helpers/zest_arbiter.js';

const token = 'the token of this service';
const pem = readFileSync('test/fixtures/tls/localhost.pem', 'utf8');
const data = '{"who":"grüße","n":12345678901234567890}';

const zeromq = await loadReplyZeromq();
const withZest = zeromq === undefined ? test.skip : test;
if (zeromq === undefined) {
  test.skip('the optional package zeromq is not installed, so the Zest arbiter is not tested', (t) =>
    t.pass());
}

interface World {
  readonly relay: RelayUnderTest;
  readonly mintFor: (path: string, grant?: string) => string;
}

async function onZest(t: ExecutionContext, library: ReplyZeromq): Promise<World> {
  const arbiter = await ZestArbiter.start({ zeromq: library });
  t.teardown(() => arbiter.close());
  arbiter.register('export-service', Buffer.from(token));
  const directory = await secretsDirectory(t, {
    'ARBITER_TOKEN': token,
    'ZMQ_PUBLIC_KEY': arbiter.keys.publicKey,
    'DATABOX.pem': pem,
  });
  const relay = await startOnPlatform(t, {
    EXPORT_SECRETS_DIR: directory,
    DATABOX_ARBITER_ENDPOINT: arbiter.endpoint,
    DATABOX_LOCAL_NAME: 'export-service',
  });
  await eventually(() => relay.log.includes('got the macaroon secret'));
  const mintFor = (path: string, grant?: string): string =>
    arbiter.mint({
      target: 'export-service',
      path,
      method: 'POST',
      ...(grant === undefined ? {} : { grant }),
    });
  return { relay, mintFor };
}

async function onHttp(t: ExecutionContext): Promise<World> {
  const arbiter = await HttpArbiter.start('https');
  t.teardown(() => arbiter.close());
  arbiter.register(token);
  const directory = await secretsDirectory(t, {
    'ARBITER_TOKEN': token,
    'DATABOX_ROOT_CA': readFileSync('test/fixtures/tls/ca.pem'),
    'DATABOX.pem': pem,
  });
  const relay = await startOnPlatform(t, {
    EXPORT_SECRETS_DIR: directory,
    DATABOX_ARBITER_ENDPOINT: arbiter.endpoint,
  });
  await eventually(() => relay.log.includes('got the macaroon secret'));
  return {
    relay,
    mintFor: (path, grant) =>
      arbiter.mint('export-service', path, 'POST', grant === undefined ? [] : [grant]),
  };
}

/** Submits and asks until the job is Finished, on one endpoint. */
async function exportWith(
  t: ExecutionContext,
  client: PlatformClient,
  { relay, mintFor }: World,
  path: string,
): Promise<void> {
  const destination = await startDestination(t, (_arrival, response) => response.end('{"ok":true}'));
  t.true(relay.url.startsWith('https://'));
  const call = {
    url: `${relay.url}${path}`,
    macaroon: mintFor(path, `destination = ${destination.url}`),
    uri: destination.url,
    data,
  };
  let job = await client({ ...call, id: '' });
  t.is(job.state, 'Pending');
  while (job.state !== 'Finished') job = await client({ ...call, id: job.id });
  t.true(job.text.includes('"ext_response":{"status":"200 OK","body":"{\\"ok\\":true}"'), job.text);
  t.is(destination.arrivals.length, 1);
  t.is(destination.arrivals[0]?.body.toString(), data);
}

for (const [name, client] of Object.entries(platformClients)) {
  for (const path of ['/export', '/lp/export']) {
    withZest(`the platform's ${name} client exports through ${path}, with the Zest arbiter`, async (t) => {
      if (zeromq !== undefined) await exportWith(t, client, await onZest(t, zeromq), path);
    });
    test(`the platform's ${name} client exports through ${path}, with the HTTP arbiter`, async (t) => {
      await exportWith(t, client, await onHttp(t), path);
    });
  }
}

withZest(
  'two apps with macaroons alike but for the destination cannot see each other’s jobs; with the same one, only by id',
  async (t) => {
    if (zeromq === undefined) return;
    const { relay, mintFor } = await onZest(t, zeromq);
    const destination = await startDestination(t);
    const client = platformClients.Node;
    const grant = `destination = ${destination.url}`;
    const call = { url: `${relay.url}/export`, uri: destination.url, data };
    const { id } = await client({ ...call, id: '', macaroon: mintFor('/export', grant) });
    const other = mintFor('/export', `destination = ${destination.url}/other`);
    await t.throwsAsync(client({ ...call, id, macaroon: other }), { message: /^404 .*"unknown_job"/ });
    t.is((await client({ ...call, id, macaroon: mintFor('/export', grant) })).id, id);
  },
);

withZest(
  'whatever a Zest arbiter does first, no request is served before it has given a real secret',
  async (t) => {
    if (zeromq === undefined) return;
    const keys = zeromq.curveKeyPair();
    const port = await freePort();
    const directory = await secretsDirectory(t, { ARBITER_TOKEN: token, ZMQ_PUBLIC_KEY: keys.publicKey });
    const relay = await startOnPlatform(
      t,
      { EXPORT_SECRETS_DIR: directory, DATABOX_ARBITER_ENDPOINT: `tcp://127.0.0.1:${port}` },
      { clock: hastyClock },
    );
    const servesNobody = async (what: string): Promise<void> => {
      for (const macaroon of [mint(), mintWith({ root: ' ' }), 'rubbish']) {
        t.is((await relay.post('/export', { id: 'x' }, { macaroon })).json.code, 'no_secret', what);
      }
    };
    await servesNobody('down at the start');
    const arbiter = await ZestArbiter.start({ zeromq, port, keys });
    t.teardown(() => arbiter.close());
    const asked = async (): Promise<void> => {
      const before = arbiter.requests.length;
      await eventually(() => arbiter.requests.length >= before + 2);
    };
    await asked();
    await servesNobody('129: not registered yet');
    for (const [what, answer] of [
      ['160: internal error', Buffer.of(160, 0, 0, 0)],
      ['garbage', Buffer.from('garbage')],
      ['an empty frame', Buffer.alloc(0)],
      ['an empty secret', contentAnswer('')],
      ['a secret of white space', contentAnswer(' ')],
    ] as const) {
      arbiter.answerWith(answer);
      await asked();
      await servesNobody(what);
    }
    arbiter.behave();
    arbiter.register('export-service', Buffer.from(token));
    await eventually(async () => (await relay.post('/export', { id: 'x' })).status === 401);
    const macaroon = arbiter.mint({ target: 'export-service', path: '/export', method: 'POST' });
    t.is((await relay.post('/export', { id: 'x' }, { macaroon })).json.code, 'unknown_job');
    t.is(arbiter.secrets.length, 1, 'fetched once');
  },
);

test('until the arbiter has answered every request gets no_secret, and then the relay recovers by itself', async (t) => {
  const arbiter = await HttpArbiter.start('http');
  t.teardown(() => arbiter.close());
  const directory = await secretsDirectory(t, { ARBITER_TOKEN: token });
  const relay = await startOnPlatform(t, {
    EXPORT_SECRETS_DIR: directory,
    DATABOX_ARBITER_ENDPOINT: arbiter.endpoint,
  });
  await eventually(() => arbiter.requests.length > 0 && relay.log.includes('not_registered'));
  for (const macaroon of [mint(), 'rubbish', '']) {
    const answer = await relay.post('/export', { id: 'x' }, { macaroon });
    t.like(answer, { status: 503, json: { code: 'no_secret' } });
    t.regex(String(answer.headers['retry-after']), /^\d+$/);
  }
  arbiter.answerWith((_request, response) => response.end(''));
  const asked = arbiter.requests.length;
  await eventually(() => arbiter.requests.length > asked);
  t.is((await relay.post('/export', { id: 'x' })).json.code, 'no_secret', 'an empty secret is none');
  arbiter.behave();
  arbiter.register(token);
  await eventually(async () => (await relay.post('/export', { id: 'x' })).status !== 503);
  const macaroon = arbiter.mint('export-service', '/export', 'POST');
  t.is((await relay.post('/export', { id: 'x' }, { macaroon })).json.code, 'unknown_job');
  const fetched = arbiter.requests.length;
  for (let count = 0; count < 20; count += 1) {
    t.is((await relay.post('/export', { id: 'x' }, { macaroon: 'rubbish' })).status, 401);
  }
  t.is(arbiter.requests.length, fetched, 'a bad macaroon never causes a fetch');
  t.false(relay.log.includes(token));
  t.false(relay.log.includes(arbiter.secret));
});

test('the binary takes everything from the platform’s variables and files, old flags included', async (t) => {
  const directory = await secretsDirectory(t, { 'DATABOX.pem': pem });
  const program = new RunningProgram(
    t,
    ['serve', '-s', 'a secret for tests only', '-p', '0', '-v', '--polling', '--long-polling', '--websocket'],
    {
      EXPORT_SECRETS_DIR: directory,
      DATABOX_LOCAL_NAME: 'another-name',
    },
  );
  const [, port] = await program.printed(/^listening on https:\/\/0\.0\.0\.0:(\d+)$/m);
  const call = { url: `https://127.0.0.1:${port ?? ''}/export`, id: 'x', uri: 'https://x.example/', data };
  await t.throwsAsync(platformClients.Go({ ...call, macaroon: mint('target = another-name') }), {
    message: /^404 .*unknown_job/,
  });
  await t.throwsAsync(platformClients.Go({ ...call, macaroon: mint('target = export-service') }), {
    message: /^401 /,
  });
  t.is(program.stderr.match(/changes nothing/g)?.length, 1);
  t.regex(program.stderr, /--polling, --long-polling, --websocket, --verbose/);
});

test('missing tokens, bad keys and bad certificates are reported together, with status 78', async (t) => {
  const directory = await secretsDirectory(t, { 'ZMQ_PUBLIC_KEY': 'short', 'DATABOX.pem': 'no certificate' });
  const program = new RunningProgram(t, ['serve', '--port=x'], {
    EXPORT_SECRETS_DIR: directory,
    DATABOX_ARBITER_ENDPOINT: 'tcp://127.0.0.1:4444',
  });
  t.is(await program.exited(), 78);
  for (const what of [
    /--port/,
    /ARBITER_TOKEN/,
    /ZMQ_PUBLIC_KEY/,
    /DATABOX\.pem does not hold a certificate/,
  ]) {
    t.regex(program.stderr, what);
  }
});
