import test from 'ava';
import { type RelayUnderTest, startRelay } from '../helpers/relay.js';
import { type ScriptedDestination, startDestination } from '../helpers/scripted_destination.js';

/** Submits a body written by hand and tells what arrived, byte for byte. */
async function delivered(
  relay: RelayUnderTest,
  destination: ScriptedDestination,
  body: string,
): Promise<string | undefined> {
  const answer = await relay.post('/export', body);
  if (answer.status !== 200) throw new Error(answer.text);
  await relay.finished(answer.json.id);
  return destination.arrivals.at(-1)?.body.toString();
}

for (const contentType of [
  undefined,
  'text/plain',
  'application/x-www-form-urlencoded',
  'nonsense',
  'a/b;c',
]) {
  test(`a body is read as JSON, though its type is ${contentType ?? 'not given'}`, async (t) => {
    const [relay, destination] = [await startRelay(t), await startDestination(t)];
    const body = { id: '', uri: destination.url, data: '{}' };
    const headers: Record<string, string> = contentType === undefined ? {} : { 'content-type': contentType };
    t.is((await relay.post('/export', body, { headers })).status, 200);
  });
}

for (const text of [
  '[]',
  'null',
  '"x"',
  '1',
  'true',
  '{}',
  '[{"id":""}]',
  '{"id":null}',
  '{"id":0}',
  '{"id":[]}',
]) {
  test(`${text} is JSON and no request`, async (t) => {
    const relay = await startRelay(t);
    t.like(await relay.post('/export', text), { status: 400, json: { code: 'invalid_request' } });
  });
}

test('of repeated members the last is judged, delivered and asked about alike', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const { url } = destination;
  const twice = `{"id":"x","uri":"https://10.0.0.1/","data":{"a":1},"uri":"${url}","d\\u0061ta":{"b":2.0},"id":""}`;
  t.is(await delivered(relay, destination, twice), '{"b":2.0}');
  t.is(await delivered(relay, destination, `{"id":"","uri":"${url}","data":"[1]","data":[2]}`), '[2]');
  t.is(await delivered(relay, destination, `{"id":"","uri":"${url}","data":[1],"data":"[2]"}`), '[2]');
});

test('a member that is called __proto__ changes nothing', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const proto = '"__proto__":{"id":"x","action":"cancel","headers":{"x-a":"1"},"purpose":"p"}';
  const body = `{${proto},"id":"","uri":"${destination.url}","data":{${proto}}}`;
  t.is(await delivered(relay, destination, body), `{${proto}}`);
  t.is(destination.arrivals[0]?.headers['x-a'], undefined);
  t.like(await relay.post('/export', `{${proto}}`), { status: 400 });
});

test('data that is nested very deeply is delivered as it is, bare or as text', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const deep = '['.repeat(200_000) + ']'.repeat(200_000);
  const start = `{"id":"","uri":"${destination.url}","data":`;
  t.is(await delivered(relay, destination, `${start}${deep}}`), deep);
  t.is(await delivered(relay, destination, `${start}"${deep}"}`), deep);
  t.is(await delivered(relay, destination, `${start}{},"extra":${deep}}`), '{}');
  t.like(await relay.post('/export', `${start}{},"headers":{"x-a":${deep}},"purpose":${deep}}`), {
    status: 400,
  });
  t.deepEqual(relay.logged('bug'), []);
});

for (const [body, why] of [
  ['{"id":"","uri":"URI","data":"[\\"\\ud800\\"]"}', 'half of a surrogate pair in data'],
  ['{"id":"","uri":"URI\\udfff","data":"{}"}', 'half of a surrogate pair in the uri'],
  ['{"id":"","uri":"URI","data":"{}","purpose":"\\ud800"}', 'half of a surrogate pair in the purpose'],
  ['{"id":"","uri":"URI","data":"{}","headers":{"x-a":"\\ud800"}}', 'half of a surrogate pair in a header'],
  ['\ufeff{"id":"","uri":"URI","data":"{}"}', 'a byte order mark'],
  ['{"id":"","uri":"URI","data":"\ufeff{}"}', 'a byte order mark in data'],
] as const) {
  test(`${why} is refused rather than altered`, async (t) => {
    const [relay, destination] = [await startRelay(t), await startDestination(t)];
    t.is((await relay.post('/export', body.replace('URI', destination.url))).status, 400);
  });
}

test('half of a surrogate pair that bare data spells as an escape is delivered as that escape', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const body = `{"id":"","uri":"${destination.url}","data":["\\ud800"]}`;
  t.is(await delivered(relay, destination, body), '["\\ud800"]');
});

for (const id of [
  'not-a-uuid',
  '00000000-0000-0000-0000-000000000000',
  '6F1A3C1E-2F7B-4F7A-9A6E-0C7A4B8D9E10',
  'x'.repeat(1_000_000),
  '../x',
  '__proto__',
  'constructor',
  '\ud800',
  ' ',
]) {
  const shown = id.length > 50 ? `${id.slice(0, 5)}… (${id.length} characters)` : JSON.stringify(id);
  test(`${shown} is an id that nobody knows`, async (t) => {
    const relay = await startRelay(t);
    for (const path of ['/export', '/lp/export?timeout=0']) {
      t.like(await relay.post(path, { id }), { status: 404, json: { code: 'unknown_job' } });
    }
  });
}

for (const data of ['', ' ', 'text', '{', '"{}"', '1', 'null', 'NaN', "{'a':1}", '{}{}', 17, true, null]) {
  test(`data ${JSON.stringify(data)} is refused`, async (t) => {
    const relay = await startRelay(t);
    const answer = await relay.submit('https://x.example/', data);
    t.is(answer.status, 400);
    t.deepEqual(
      answer.json.errors?.map(({ field }) => field),
      ['data'],
    );
  });
}

for (const [purpose, fits, why] of [
  ['Zum Abgleich – für dich 🙂', true, 'a sentence'],
  ['🙂'.repeat(200), true, 'two hundred characters, whatever they take'],
  ['🙂'.repeat(201), false, 'one character too many'],
  ['p'.repeat(200), true, 'two hundred letters'],
  ['p'.repeat(201), false, 'one letter too many'],
  ['p'.repeat(500_000), false, 'far too long'],
  ['', true, 'empty, which is none'],
  ['שלום', true, 'written from right to left'],
  ['two\nlines', false, 'a line break'],
  ['two\u2028lines', false, 'a line separator'],
  ['\u001b[31mred', false, 'an escape'],
  ['a\u202ecod.exe', false, 'an override of the writing direction'],
  ['\0', false, 'a NUL'],
  [null, false, 'null'],
  [['why'], false, 'a list'],
] as const) {
  test(`a purpose is ${fits ? 'taken' : 'refused'}: ${why}`, async (t) => {
    const [relay, destination] = [await startRelay(t), await startDestination(t)];
    const answer = await relay.post('/export', { id: '', uri: destination.url, data: '{}', purpose });
    t.is(answer.status, fits ? 200 : 400, answer.text);
    const fields = answer.json.errors?.map(({ field }) => field);
    t.deepEqual(fields, fits ? undefined : ['purpose']);
  });
}
