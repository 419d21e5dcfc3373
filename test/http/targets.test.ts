import test from 'ava';
import { post, talk } from '../helpers/raw.js';
import { startRelay } from '../helpers/relay.js';

for (const [target, code] of [
  ['http://relay/export', 'unknown_job'],
  ['http://relay/export?x', 'unknown_job'],
  ['HTTP://evil.example:99999/export', 'unknown_job'],
  // No parser takes the last three authorities for one; none of them decides anything here.
  ['http://[evil/export', 'unknown_job'],
  ['http://xn--0/export', 'unknown_job'],
  ['http://%00/export', 'unknown_job'],
  ['http://relay', 'not_found'],
  ['http://relay?/export', 'not_found'],
  ['http://relay//export', 'not_found'],
  ['http://[evil/other', 'not_found'],
] as const) {
  test(`POST ${target} is judged by its path alone: ${code}`, async (t) => {
    const relay = await startRelay(t);
    const answer = await talk(t, relay, post(target, '{"id":"x"}', 'Connection: close'));
    t.true(answer.startsWith('HTTP/1.1 404 '), answer);
    t.true(answer.includes(`"code":"${code}"`), answer);
    t.is(relay.logged('request').length, 1);
  });
}
