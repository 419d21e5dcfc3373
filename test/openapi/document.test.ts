import { request as httpRequest } from 'node:http';
import test from 'ava';
import type { Failure } from '#relay/failure.js';
import { problemKinds } from '#relay/http/problem.js';
import { eventually } from '../helpers/eventually.js';
import { startFailingApp } from '../helpers/failing_app.js';
import { type Answered, Contract, type Document } from '../helpers/openapi.js';
import { talk } from '../helpers/raw.js';
import { mint, type RelayUnderTest, startRelay } from '../helpers/relay.js';
import { type Cleanup, startDestination } from '../helpers/scripted_destination.js';
import { openSocket } from '../helpers/sockets.js';

interface Question {
  readonly method?: string;
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

async function ask({ port }: { readonly port: number }, question: Question): Promise<Answered> {
  const { method = 'POST', path, headers = { 'x-api-key': mint() }, body = '' } = question;
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, host: '127.0.0.1', method, path, headers, agent: false });
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        const { statusCode: status = 0, headers: received } = response;
        resolve({ method, path: path.replace(/\?.*/, ''), status, headers: received, text });
      });
    });
    request.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
}

/** What comes back for bytes that are no whole request, as the answer to what they began to ask. */
async function askRaw(
  t: Cleanup,
  relay: { readonly port: number },
  [method, path]: readonly [string, string],
  text: string,
): Promise<Answered> {
  const [head = '', body = ''] = (await talk(t, relay, text)).split('\r\n\r\n');
  const [line = '', ...lines] = head.split('\r\n');
  const headers: Record<string, string> = {};
  for (const header of lines) {
    const [name = '', value = ''] = header.split(': ');
    headers[name.toLowerCase()] = value;
  }
  return { method, path, status: Number(line.split(' ')[1]), headers, text: body };
}

async function documentOf(relay: { readonly port: number }): Promise<Document> {
  const { text } = await ask(relay, { method: 'GET', path: '/openapi.json', headers: {} });
  return JSON.parse(text) as Document;
}

const operations = [
  ['POST', '/export'],
  ['POST', '/lp/export'],
  ['GET', '/ws/export'],
  ['GET', '/openapi.json'],
  ['GET', '/problems/no_secret'],
] as const;
const posts = ['/export', '/lp/export'] as const;
const unknownId = '2c1d8a54-0b3e-4b34-9b5c-0d6a3f3f2a51';

/** What any operation may meet before it is looked at. */
async function beforeAnybodyLooks(t: Cleanup): Promise<readonly Answered[]> {
  const relay = await startRelay(t);
  const impatient = await startRelay(t, ['--request-timeout=1s']);
  const broken = await startFailingApp(t, 'bug');
  const rounds = operations.map(async (operation) => {
    const [method, path] = operation;
    const line = `${method} ${path} HTTP/1.1\r\n`;
    return Promise.all([
      askRaw(t, relay, operation, `${line}\r\n`),
      askRaw(t, impatient, operation, `${line}Host: x\r\n`),
      askRaw(t, relay, operation, `${line}Host: x\r\nX: ${'x'.repeat(17 * 1024)}\r\n\r\n`),
      ask(broken, { method, path, body: method === 'GET' ? '' : { id: unknownId } }),
      ask(relay, { method: 'OPTIONS', path }),
      ask(relay, { method: 'PUT', path }),
      ask(relay, { method: 'HEAD', path }),
    ]);
  });
  return [...(await Promise.all(rounds)).flat(), await ask(relay, { path: '/nowhere', headers: {} })];
}

async function ofMacaroons(t: Cleanup): Promise<readonly Answered[]> {
  const relay = await startRelay(t);
  const unaware = await startFailingApp(t, 'bug', { verifier: () => undefined });
  const upgrade = {
    'connection': 'Upgrade',
    'upgrade': 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  };
  const keys = [{}, { 'x-api-key': 'x' }, { 'x-api-key': mint('path = /elsewhere') }];
  const body = { id: unknownId };
  return Promise.all([
    ...posts.flatMap((path) => [
      ...keys.map((headers) => ask(relay, { path, headers, body })),
      ask(unaware, { path, body }),
    ]),
    ...keys.map((key) => ask(relay, { method: 'GET', path: '/ws/export', headers: { ...upgrade, ...key } })),
    ask(relay, { method: 'GET', path: '/ws/export' }),
    ask(relay, { method: 'GET', path: '/ws/export', headers: { ...upgrade, 'sec-websocket-key': 'short' } }),
    ask(relay, { method: 'GET', path: '/ws/export', headers: { ...upgrade, origin: 'https://x.example' } }),
    ask(relay, { method: 'GET', path: '/openapi.json', headers: {} }),
    ask(relay, { method: 'GET', path: '/problems/no_secret', headers: {} }),
    ask(relay, { method: 'GET', path: '/problems/nothing', headers: {} }),
  ]);
}

async function ofBodies(t: Cleanup): Promise<readonly Answered[]> {
  const relay = await startRelay(t, ['--max-body=1kb', '--max-queued-per-lane=1']);
  const full = await startRelay(t, ['--max-queued=1']);
  const uri = 'http://127.0.0.1:9/';
  const destination = await startDestination(t, () => undefined);
  const key = { 'x-api-key': mint(), 'idempotency-key': 'k' };
  const submission = { id: '', uri: destination.url, data: {} };
  const answers: Answered[] = [];
  for (const path of posts) {
    answers.push(await ask(relay, { path, body: submission, headers: key }));
    answers.push(await ask(full, { path, body: submission }));
    answers.push(
      await ask(relay, { path, body: '{' }),
      await ask(relay, { path: `${path}?until=never`, body: { id: 5 } }),
      await ask(relay, { path, body: { id: '', uri: 'http://169.254.169.254/', data: {} } }),
      await ask(relay, { path, body: { id: unknownId } }),
      await ask(relay, { path, body: 'x'.repeat(2000) }),
      await ask(relay, { path, body: '{}', headers: { 'x-api-key': mint(), 'content-encoding': 'gzip' } }),
      await ask(relay, { path, body: { ...submission, data: [] }, headers: key }),
      await ask(relay, { path, body: submission }),
      await ask(full, { path, body: { ...submission, uri } }),
      await ask(relay, { path: `${path}?dry_run=1`, body: { ...submission, uri } }),
    );
  }
  return answers;
}

async function ofJobs(t: Cleanup): Promise<readonly Answered[]> {
  const relay = await startRelay(t, ['--max-response=10b', '--max-waiters=1']);
  const destination = await startDestination(t, ({ path }, response) => {
    if (path === '/hold') return;
    if (path === '/broken') response.destroy();
    else if (path === '/elsewhere') response.writeHead(303, { 'location': '/', 'retry-after': '5' }).end();
    else response.writeHead(200, { 'content-type': 'text/plain' }).end(Buffer.alloc(20, 0xff));
  });
  const origin = `http://127.0.0.1:${destination.port}`;
  const answers: Answered[] = [];
  for (const path of ['/binary', '/elsewhere', '/broken', '/hold']) {
    const submitted = await ask(relay, {
      path: '/lp/export',
      body: { id: '', uri: origin + path, data: {} },
    });
    const { id } = JSON.parse(submitted.text) as { readonly id: string };
    const isHeld = path === '/hold';
    if (isHeld) {
      const held = ask(relay, { path: '/lp/export?until=Finished', body: { id } });
      await eventually(() => relay.service.stats().waiters === 1);
      answers.push(await ask(relay, { path: '/lp/export?until=Finished', body: { id } }));
      answers.push(await ask(relay, { path: '/export', body: { id, action: 'cancel' } }), await held);
    }
    answers.push(
      submitted,
      await ask(relay, { path: '/lp/export?until=Finished&events=1', body: { id } }),
      await ask(relay, { path: '/export', body: { id } }),
    );
  }
  return answers;
}

/** What takes a fault of the machine, or the moment at which a relay stops. */
async function ofFaults(t: Cleanup): Promise<readonly Answered[]> {
  const failures: readonly Failure[] = (['shutting_down', 'storage_unavailable'] as const).map((code) => ({
    code,
    retryAfterSeconds: 1,
    detail: '',
  }));
  const [stopping, unwritable] = await Promise.all(failures.map((failure) => startFailingApp(t, failure)));
  const unaware = await startFailingApp(t, { code: 'no_secret', retryAfterSeconds: 1, detail: '' });
  if (stopping === undefined || unwritable === undefined) throw new Error('not started');
  const body = { id: unknownId };
  return Promise.all([
    ...posts.flatMap((path) => [ask(stopping, { path, body }), ask(unwritable, { path, body })]),
    ask(stopping, { method: 'GET', path: '/ws/export' }),
    ask(unaware, { method: 'GET', path: '/ws/export' }),
  ]);
}

test('every answer is documented, and every documented answer is given', async (t) => {
  const contract = new Contract(await documentOf(await startRelay(t)));
  const answers: Answered[] = [];
  // One after another: all at once, the connections of one round would wait for those of the others.
  for (const round of [beforeAnybodyLooks, ofMacaroons, ofBodies, ofJobs, ofFaults]) {
    answers.push(...(await round(t)));
  }
  const undocumented = answers.flatMap((answer) => contract.undocumented(answer) ?? []);
  t.deepEqual(undocumented, []);
  t.deepEqual(
    contract.documented().filter((outcome) => !contract.seen.has(outcome)),
    [],
  );
});

test('a preflight is answered as documented', async (t) => {
  const origin = 'https://app.example';
  const relay = await startRelay(t, [`--cors-origin=${origin}`]);
  const contract = new Contract(await documentOf(relay));
  for (const [, path] of operations) {
    const headers = {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-private-network': 'true',
    };
    const answer = await ask(relay, { method: 'OPTIONS', path, headers });
    t.is(answer.status, 204);
    t.is(contract.undocumented(answer), undefined);
  }
});

test('every frame of a WebSocket is documented', async (t) => {
  const relay: RelayUnderTest = await startRelay(t);
  const contract = new Contract(await documentOf(relay));
  const destination = await startDestination(t);
  const client = await openSocket(t, relay);
  const submission = { id: '', uri: destination.url, data: {} };
  for (const frame of [
    { ...submission, ref: 'a' },
    { ...submission, dry_run: true },
    { id: '', ref: 'b' },
    { id: unknownId },
    '{',
    { ...submission, uri: 'http://169.254.169.254/' },
  ]) {
    client.send(frame);
  }
  await eventually(() => client.frames.length >= 8);
  for (const frame of client.frames) {
    const schema = 'state' in frame ? 'JobFrame' : 'dry_run' in frame ? 'DryRunFrame' : 'ProblemFrame';
    t.is(contract.mistakeIn(schema, frame), undefined);
  }
  t.is(client.frames.filter(({ code }) => code !== undefined).length, 4);
});

test('the document names the limits that are set, and its references lead somewhere', async (t) => {
  const relay = await startRelay(t, ['--max-body=12345b', '--max-wait=7s']);
  const document = await documentOf(relay);
  const text = JSON.stringify(document);
  t.true(text.includes('at most 12345 bytes'));
  t.true(text.includes('clamped to 0 … 7;'));
  const names = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name = '']) => name);
  t.true(names.length > 50);
  t.deepEqual(
    names.filter((name) => !(name in document.components.schemas)),
    [],
  );
  const ids = [...text.matchAll(/"operationId":"(\w+)"/g)].map(([, id]) => id);
  t.is(new Set(ids).size, ids.length);
});

test('every problem has a page at its type, for whoever follows it', async (t) => {
  const relay = await startRelay(t);
  for (const [code, { title, status }] of Object.entries(problemKinds)) {
    const {
      status: got,
      text,
      headers,
    } = await ask(relay, {
      method: 'GET',
      path: `/problems/${code}`,
      headers: {},
    });
    t.is(got, 200);
    t.is(headers['content-type'], 'text/plain; charset=utf-8');
    t.true(text.startsWith(`${title} (${status}, ${code})\n\n`), text);
    t.regex(text, /\n\nWhat to do: .+\n$/);
  }
});
