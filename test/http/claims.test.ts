import test from 'ava';
import { attenuateMacaroon } from '#relay/macaroon/mint.js';
import { mint, mintWith, startRelay } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';

test('a holder that writes a destination into its macaroon itself satisfies the demand for one, and no list', async (t) => {
  const destination = await startDestination(t);
  const [demanding, listing] = [
    await startRelay(t, ['--require-destination']),
    await startRelay(t, ['--require-destination', '--allow-destination=https://consented.example/*']),
  ];
  const own = attenuateMacaroon(mint(), [`destination = ${destination.url}`]);
  if (!own.ok) throw new Error(own.reason);
  t.is(
    own.token,
    mint(`destination = ${destination.url}`),
    'nobody could tell it from one that was minted so',
  );
  t.is((await demanding.submit(destination.url, '{}', { macaroon: own.token })).status, 200);
  t.like(await listing.submit(destination.url, '{}', { macaroon: own.token }), {
    status: 403,
    json: { rule: 'destination_not_listed' },
  });
});

test('apps that hold one and the same macaroon are kept apart by ids that nobody can guess or list', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const caveat = `destination = ${destination.url}`;
  t.is(mint(caveat), mint(caveat));
  const ids: string[] = [];
  for (let number = 0; number < 20; number += 1) {
    ids.push((await relay.submit(destination.url, '{}', { macaroon: mint(caveat) })).json.id);
  }
  t.is(new Set(ids.map((id) => id.slice(0, 8))).size, 20);
  for (const id of ids) t.regex(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  for (const path of ['/export', '/lp/export', '/api/exports', '/', '/export?id=']) {
    const { text, status } = await relay.post(path, '', { method: 'GET' });
    t.true([404, 405].includes(status), path);
    for (const id of ids) t.false(text.includes(id));
  }
});

test('who an app says it is, in a header of its own, counts for nothing and goes nowhere', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const { json } = await relay.submit(destination.url, '{}', { macaroon: mintWith({ identifier: 'a' }) });
  const headers = { 'macaroon-client-id': 'a', 'x-client-id': 'a', 'x-forwarded-user': 'a' };
  const macaroon = mintWith({ identifier: 'b' });
  t.is((await relay.post('/export', { id: json.id }, { macaroon, headers })).json.code, 'unknown_job');
  const own = await relay.submit(destination.url, '{}', { macaroon, headers });
  await relay.finished(own.json.id, { macaroon });
  t.deepEqual(new Set(relay.logged('job').map(({ owner }) => owner)), new Set(['a', 'b']));
  for (const arrival of destination.arrivals) {
    for (const name of Object.keys(headers)) t.is(arrival.headers[name], undefined, name);
  }
});
