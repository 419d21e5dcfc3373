import test from 'ava';
import { mint, startRelay } from '../helpers/relay.js';

const data = '{"secret":"4711"}';

test('a submission that the policy refuses is logged with its rule, and without its data', async (t) => {
  const relay = await startRelay(t, ['--allow-destination', 'https://example.com/*']);
  t.is((await relay.submit('https://example.org/in?key=4711', data)).status, 403);
  const [line, ...others] = relay.logged('refused');
  t.like(line, { code: 'destination_refused', destination: 'https://example.org', bytes: data.length });
  t.is(line?.['rule'], 'destination_not_listed');
  t.deepEqual(others, []);
  t.notRegex(relay.log, /4711/);
});

test('a submission that a caveat refuses is logged, and a question that is refused is not', async (t) => {
  const relay = await startRelay(t);
  const macaroon = mint('destination = https://example.com/in');
  t.is((await relay.submit('https://example.org/in', data, { macaroon })).status, 401);
  t.is((await relay.post('/export', { id: 'unknown' })).status, 404);
  t.deepEqual(
    relay.logged('refused').map(({ code }) => code),
    ['caveat_not_satisfied'],
  );
});
