import test from 'ava';
import fc from 'fast-check';
import type { FieldError } from '#relay/failure.js';
import { readCustomHeaders } from '#relay/http/custom_headers.js';
import { mint, startRelay } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';

function mistakes(headers: unknown): readonly string[] {
  const errors: FieldError[] = [];
  readCustomHeaders(headers, errors);
  return errors.map(({ field }) => field);
}

const reserved = [
  'host',
  'connection',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'proxy-anything',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'content-length',
  'expect',
  'x-api-key',
  'idempotency-key',
  'webhook-id',
  'webhook-timestamp',
  'webhook-signature',
  'webhook-anything',
];

for (const name of reserved) {
  test(`${name} is not for apps to set, in any spelling`, (t) => {
    const upper = name.toUpperCase();
    const title = name.replace(/^.|-./g, (start) => start.toUpperCase());
    // What hands headers on as variables (CGI, WSGI, Rack) reads the last one as it reads the others.
    const underscored = name.replaceAll('-', '_');
    for (const spelt of [name, upper, title, underscored]) {
      t.deepEqual(mistakes({ [spelt]: 'x' }), [`headers.${spelt}`]);
    }
  });
}

const many = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, '']));

for (const [headers, expected, why] of [
  [undefined, [], 'none'],
  [{}, [], 'an empty object'],
  [null, ['headers'], 'null'],
  [[], ['headers'], 'an array'],
  ['a: b', ['headers'], 'a text'],
  [{ 'x-a': 1 }, ['headers.x-a'], 'a number'],
  [{ 'x-a': ['1', '2'] }, ['headers.x-a'], 'a list'],
  [{ '': 'x' }, ['headers.'], 'an empty name'],
  [{ 'x a': 'x' }, ['headers.x a'], 'a space in a name'],
  [{ 'x:': 'x' }, ['headers.x:'], 'a colon in a name'],
  [{ ':path': 'x' }, ['headers.:path'], 'a pseudo header'],
  [{ 'x\r\nhost': 'x' }, ['headers.x\r\nhost'], 'a line break in a name'],
  [{ grüße: 'x' }, ['headers.grüße'], 'a name that is not ASCII'],
  [{ 'x-a': 'a\r\nhost: b' }, ['headers.x-a'], 'a line break'],
  [{ 'x-a': 'a\n' }, ['headers.x-a'], 'a line feed at the end'],
  [{ 'x-a': 'a\0b' }, ['headers.x-a'], 'a NUL'],
  [{ 'x-a': 'a\tb' }, ['headers.x-a'], 'a tab'],
  [{ 'x-a': 'grüße' }, ['headers.x-a'], 'a value that is not ASCII'],
  [{ 'x-a': '\ud800' }, ['headers.x-a'], 'half of a surrogate pair'],
  [{ 'x-a': ' a' }, ['headers.x-a'], 'a space in front, which would be lost'],
  [{ 'x-a': 'a ' }, ['headers.x-a'], 'a space behind, which would be lost'],
  [{ 'x-a': '' }, [], 'an empty value'],
  [{ 'x-a': 'a b' }, [], 'a space inside'],
  [{ 'x-a': '1', 'X-A': '2' }, ['headers.X-A'], 'one header in two spellings'],
  [{ 'host': 'x', 'x-a': '\n' }, ['headers.host', 'headers.x-a'], 'all that is wrong is named'],
  [many(32), [], 'as many as there may be'],
  [many(33), ['headers'], 'one too many'],
  [{ 'x-a': 'a'.repeat(8 * 1024 - 3) }, [], 'as large as they may be'],
  [{ 'x-a': 'a'.repeat(8 * 1024 - 2) }, ['headers'], 'a byte too large'],
  [{ ['x'.repeat(100) + '\n']: 'x' }, [`headers.${'x'.repeat(64)}…`], 'a long name is cut in the message'],
] as const) {
  test(`headers: ${why}`, (t) => {
    t.deepEqual(mistakes(headers), expected);
  });
}

test('headers, purpose and the other fields are reported together, and nothing is queued', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const body = { id: '', uri: 'ftp://x/', data: 5, headers: { Host: 'x' }, purpose: 5 };
  const { status, json } = await relay.post('/export?events=perhaps', body, {
    headers: { 'idempotency-key': '' },
  });
  t.is(status, 400);
  t.deepEqual(
    json.errors?.map(({ field }) => field),
    ['events', 'Idempotency-Key', 'uri', 'data', 'headers.Host', 'purpose'],
  );
  t.is(destination.arrivals.length, 0);
});

test('an app’s headers reach the destination, in place of the relay’s where they may be', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const headers = {
    'Authorization': 'Bearer abc',
    'cookie': 'a=b; c=d',
    'Content-Type': 'application/cloudevents+json',
    'user-agent': 'an app',
    'X-Empty': '',
  };
  // As text: an object literal would take __proto__ for its prototype.
  const text = JSON.stringify({ id: '', uri: destination.url, data: '{}' }).slice(0, -1);
  const custom = '{"__proto__":"kept",' + JSON.stringify(headers).slice(1);
  const { json } = await relay.post('/export', `${text},"headers":${custom}}`);
  await relay.finished(json.id);
  const arrived = destination.arrivals[0]?.headers;
  t.like(arrived, {
    'authorization': 'Bearer abc',
    'cookie': 'a=b; c=d',
    'content-type': 'application/cloudevents+json',
    'user-agent': 'an app',
    'x-empty': '',
    'idempotency-key': json.id,
  });
  const raw = destination.arrivals[0]?.rawHeaders ?? [];
  t.is(raw[raw.indexOf('__proto__') + 1], 'kept');
});

const nameArbitrary = fc
  .string({ unit: fc.constantFrom(...Array.from("abcXYZ019!#$%&'*+.^_`|~-")), minLength: 1, maxLength: 20 })
  .map((name) => `z${name}`);
const valueArbitrary = fc.string({ unit: 'grapheme-ascii', maxLength: 60 });
const wildArbitrary = fc.string({ unit: 'binary', maxLength: 10 });

test('whatever headers are accepted arrive exactly as they were given, each once', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const seen = new Map<string, readonly string[]>();
  destination.script = ({ rawHeaders, headers }, response) => {
    seen.set(String(headers['idempotency-key']), rawHeaders);
    response.end();
  };
  const headersArbitrary = fc.array(
    fc.tuple(
      fc.oneof({ weight: 9, arbitrary: nameArbitrary }, { weight: 1, arbitrary: wildArbitrary }),
      fc.oneof({ weight: 9, arbitrary: valueArbitrary }, { weight: 1, arbitrary: wildArbitrary }),
    ),
    { maxLength: 5 },
  );
  let [accepted, refused] = [0, 0];
  await fc.assert(
    fc.asyncProperty(headersArbitrary, async (pairs) => {
      const headers = Object.fromEntries(pairs);
      const { status, json } = await relay.post('/export', {
        id: '',
        uri: destination.url,
        data: '{}',
        headers,
      });
      if (status !== 200) {
        refused += 1;
        return status === 400 && (json.errors ?? []).every(({ field }) => field.startsWith('headers'));
      }
      accepted += 1;
      await relay.finished(json.id);
      const raw = seen.get(json.id) ?? [];
      const arrived = raw.flatMap((name, index) =>
        index % 2 === 0 ? [[name, raw[index + 1]] as const] : [],
      );
      return Object.entries(headers).every(
        ([name, value]) => arrived.filter((one) => one[0] === name && one[1] === value).length === 1,
      );
    }),
    { numRuns: 200 },
  );
  t.true(accepted > 20 && refused > 20, `${accepted} accepted, ${refused} refused`);
});

test('headers, purpose and idempotency key are in no log', async (t) => {
  const relay = await startRelay(t);
  const destination = await startDestination(t);
  const body = {
    id: '',
    uri: destination.url,
    data: '{}',
    headers: { 'authorization': 'Bearer hidden-token', 'x-hidden-name': 'x' },
    purpose: 'hidden purpose',
  };
  const { json } = await relay.post('/export', body, { headers: { 'idempotency-key': 'hidden-key' } });
  await relay.finished(json.id);
  await relay.post('/export', { ...body, headers: { host: 'hidden-host' } });
  t.is(relay.logged('job').length, 1);
  t.false(relay.log.includes('hidden'), relay.log);
  t.false(relay.log.includes(mint()));
});
