import test from 'ava';
import { mint, mintWith, startRelay } from '../helpers/relay.js';
import { readFixture } from '../helpers/fixture.js';
import { request } from 'undici';
import { startDestination } from '../helpers/scripted_destination.js';

const poll = { id: '6f1a3c1e-2f7b-4f7a-9a6e-0c7a4b8d9e10' };

test('no macaroon and an empty one are missing', async (t) => {
  const relay = await startRelay(t);
  for (const headers of [{}, { 'x-api-key': '' }]) {
    const response = await request(`${relay.url}/export`, {
      method: 'POST',
      headers,
      body: JSON.stringify(poll),
    });
    t.is(response.statusCode, 401);
    t.is(response.headers['www-authenticate'], 'Macaroon');
    t.like(await response.body.json(), {
      code: 'missing_macaroon',
      status: 401,
      type: '/problems/missing_macaroon',
    });
  }
});

for (const [name, headers] of [
  ['rubbish', { 'x-api-key': 'rubbish' }],
  ['another secret', { 'x-api-key': mintWith({ root: 'another secret' }) }],
  ['two X-Api-Key headers', { 'x-api-key': [mint(), mint()] }],
  ['X-Api-Key and Basic', { 'x-api-key': mint(), 'authorization': basic(mint()) }],
  ['more text than a macaroon may have', { 'x-api-key': 'A'.repeat(4097) }],
] as const) {
  test(`${name}: 401 invalid_macaroon`, async (t) => {
    const relay = await startRelay(t);
    const response = await request(`${relay.url}/export`, {
      method: 'POST',
      headers: headers as Record<string, string | string[]>,
      body: JSON.stringify(poll),
    });
    t.is(response.statusCode, 401);
    t.like(await response.body.json(), { code: 'invalid_macaroon' });
  });
}

function basic(user: string): string {
  return `Basic ${Buffer.from(`${user}:`).toString('base64')}`;
}

test('Basic authentication with the macaroon as user name opens the same doors', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const response = await request(`${relay.url}/export`, {
    method: 'POST',
    headers: { authorization: basic(mint(`destination = ${destination.url}`)) },
    body: JSON.stringify({ id: '', uri: destination.url, data: '{}' }),
  });
  t.is(response.statusCode, 200);
});

test('every hostile token is refused with 401, the good ones pass', async (t) => {
  const { hostile } = readFixture('macaroons.json') as {
    hostile: { id: string; token: string; secret: string; relayShould: string }[];
  };
  const root = hostile[0]?.secret ?? '';
  // A submission that passes meets the operator's list, so that nothing leaves.
  const relay = await startRelay(t, [`--secret=${root}`, '--allow-destination=https://other.example/']);
  t.true(hostile.length > 30);
  for (const { id, token, relayShould } of hostile) {
    // A header cannot carry a line break at all; Basic authentication can.
    const key = /^[\x20-\x7e]*$/.test(token) ? { 'x-api-key': token } : { authorization: basic(token) };
    const response = await request(`${relay.url}/lp/export`, {
      method: 'POST',
      headers: key as Record<string, string>,
      body: JSON.stringify({ id: '', uri: 'https://export.amar.io/', data: '{}' }),
    });
    await response.body.dump();
    t.is(response.statusCode, relayShould === 'accept' ? 403 : 401, id);
  }
});

for (const [caveat, why] of [
  ['target = other-service', 'another service'],
  ['path = /lp/export', 'the other endpoint'],
  ['method = GET', 'another method'],
  ['time < 2001-01-01T00:00:00Z', 'long past'],
  ['time < 2999-01-01T00:00:00', 'without zone'],
  ['colour = red', 'not understood'],
  ['destination = https://other.example/', 'another destination'],
] as const) {
  test(`the caveat "${caveat}" is not satisfied (${why}), and the answer names it`, async (t) => {
    const relay = await startRelay(t);
    const answer = await relay.submit('http://127.0.0.1:9/', '{}', {
      macaroon: mint('target = export-service', caveat),
    });
    t.like(answer, { status: 401, json: { code: 'caveat_not_satisfied', caveat } });
    t.true(answer.json.detail?.includes(caveat));
  });
}

test('a caveat is named only once the signature holds', async (t) => {
  const relay = await startRelay(t);
  const macaroon = mintWith({ root: 'another secret', caveats: ['colour = red'] });
  const answer = await relay.submit('http://127.0.0.1:9/', '{}', { macaroon });
  t.is(answer.json.code, 'invalid_macaroon');
  t.false(answer.text.includes('colour'));
});

test('a macaroon for one endpoint does not open the other', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  for (const [own, other] of [
    ['/export', '/lp/export'],
    ['/lp/export', '/export'],
  ] as const) {
    const macaroon = mint(`path = ${own}`);
    const body = { id: '', uri: destination.url, data: '{}' };
    t.is((await relay.post(own, body, { macaroon })).status, 200);
    t.is((await relay.post(`${own}?x=1`, body, { macaroon })).status, 200, 'the query does not count');
    t.is((await relay.post(other, body, { macaroon })).status, 401);
  }
});

test('a macaroon narrowed to polling one job reads that job and does nothing else', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const mine = (await relay.submit(destination.url)).json.id;
  const other = (await relay.submit(destination.url)).json.id;
  const macaroon = mint(`job = ${mine}`, 'action = poll');
  t.is((await relay.post('/export', { id: mine }, { macaroon })).status, 200);
  t.is((await relay.post('/lp/export?timeout=0', { id: mine }, { macaroon })).status, 200);
  for (const body of [
    { id: other },
    { id: mine, action: 'cancel' },
    { id: '', uri: destination.url, data: '{}' },
  ]) {
    t.like(await relay.post('/export', body, { macaroon }), {
      status: 401,
      json: { code: 'caveat_not_satisfied' },
    });
  }
});

test('any of several secrets verifies', async (t) => {
  const relay = await startRelay(t, ['--secret=the old one']);
  t.is((await relay.post('/export', poll, { macaroon: mintWith({ root: 'the old one' }) })).status, 404);
  t.is((await relay.post('/export', poll)).status, 404);
});
