import test from 'ava';
import { ScriptedFetch, clientOf } from '../helpers/client.js';
import { mint, startRelay } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';

for (const [caveat, paths] of [
  ['path = /export', ['/export']],
  ['path = /lp/export', ['/lp/export']],
  ['path = /*', ['/export', '/lp/export']],
] as const) {
  test(`a macaroon with ${caveat} does for everything`, async (t) => {
    const [destination, relay] = [await startDestination(t), await startRelay(t)];
    const asked = new Set<string>();
    const client = clientOf(relay, {
      macaroon: mint(caveat),
      fetch: (url, init) => {
        asked.add(new URL(url).pathname);
        return fetch(url, init);
      },
    });
    t.is((await client.export(destination.url, {})).status, 200);
    const { id } = await client.submit(destination.url, {});
    t.is((await client.wait(id)).status, 200);
    t.truthy((await client.status(id, { events: true })).events);
    t.is((await client.cancel(id)).state, 'Finished');
    t.deepEqual((await client.dryRun(destination.url, {})).caveats, [caveat]);
    t.deepEqual([...asked].sort(), [...paths]);
    t.is(destination.arrivals.length, 2);
  });
}

test('where no poll is held, polls come at growing distances', async (t) => {
  const job = { id: 'a', state: 'Pending', ext_response: {} };
  const waiting = { status: 200, body: job };
  const ext_response = { status: '200 OK', body: '' };
  const answer = { status: 200, body: { ...job, state: 'Finished', ext_response } };
  const script = new ScriptedFetch([waiting, waiting, waiting, waiting, waiting, answer], {
    macaroon: mint('path = /export'),
  });
  const exported = await script.run(script.client.export('https://receiver.example/in', {}));
  t.is(exported.status, 'fulfilled');
  const times = script.calls.map(({ atMs }) => atMs);
  const gaps = times.slice(2).map((atMs, at) => atMs - (times[at + 1] ?? 0));
  t.is(gaps.length, 4);
  for (const [at, gap] of gaps.entries()) t.true(gap > (gaps[at - 1] ?? 0), gaps.join());
  for (const { url } of script.calls) t.is(new URL(url).pathname, '/export');
});
