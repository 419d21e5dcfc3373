import test from 'ava';
import { mint, mintWith, startRelay } from '../helpers/relay.js';
import { openSocket } from '../helpers/sockets.js';

const data = '{"secret":"swordfish"}';

test('a submission that the policy refuses has one line, with its rule and without its data', async (t) => {
  const relay = await startRelay(t, ['--allow-destination', 'https://example.com/*']);
  const macaroon = mintWith({ identifier: 'steps app' });
  t.is((await relay.submit('https://example.org/in?key=swordfish', data, { macaroon })).status, 403);
  const [line, ...others] = relay.logged('request');
  t.like(line, {
    level: 'warn',
    action: 'submit',
    status: 403,
    code: 'destination_refused',
    rule: 'destination_not_listed',
    owner: 'steps app',
    destination: 'https://example.org',
    bytes: data.length,
  });
  t.deepEqual(others, []);
  t.notRegex(relay.log, /swordfish/);
});

test('a submission that a caveat refuses is logged with the kind of the caveat and no more of it', async (t) => {
  const relay = await startRelay(t);
  const macaroon = mint('destination = https://example.com/swordfish');
  t.is((await relay.submit('https://example.org/in', data, { macaroon })).status, 401);
  t.like(relay.logged('request')[0], {
    level: 'info',
    code: 'caveat_not_satisfied',
    caveat: 'destination',
    destination: 'https://example.org',
  });
  t.notRegex(relay.log, /swordfish/);
});

test('a caveat in words of the app is logged as another one', async (t) => {
  const relay = await startRelay(t);
  t.is(
    (await relay.submit('https://example.org/in', data, { macaroon: mint('bytesx <= swordfish') })).status,
    401,
  );
  t.like(relay.logged('request')[0], { caveat: 'other' });
  t.notRegex(relay.log, /swordfish/);
});

test('a dry run and a frame that are refused have the same line', async (t) => {
  const relay = await startRelay(t, ['--allow-destination', 'https://example.com/*']);
  await relay.post('/export?dry_run=1', { id: '', uri: 'https://example.org/', data });
  const socket = await openSocket(t, relay);
  await socket.ask({ id: '', uri: 'https://example.org/', data });
  t.like(
    relay.logged('request').filter(({ status }) => status === 403),
    [
      { action: 'dry_run', rule: 'destination_not_listed', destination: 'https://example.org' },
      { action: 'submit', rule: 'destination_not_listed', route: '/ws/export' },
    ],
  );
});
