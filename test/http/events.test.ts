import test from 'ava';
import { type JobJson, startRelay } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';

function steps({ events = [] }: JobJson): readonly (readonly unknown[])[] {
  return events.map(({ state, attempt, detail }) => [state, attempt, detail]);
}

test('?events=true tells every step of a job, retries included', async (t) => {
  const relay = await startRelay(t, ['--attempts=3']);
  const destination = await startDestination(t, (_arrival, response) => {
    if (destination.arrivals.length === 1) response.writeHead(503, { 'retry-after': '1' }).end();
    else if (destination.arrivals.length === 2) response.socket?.resetAndDestroy();
    else response.end('ok');
  });
  const { json } = await relay.post('/export?events=true', { id: '', uri: destination.url, data: '{}' });
  t.deepEqual(steps(json), [['Pending', undefined, 'accepted']]);
  await relay.finished(json.id);
  const answer = await relay.post('/export?events=1', { id: json.id });
  const events = answer.json.events ?? [];
  t.is(Object.keys(answer.json).at(-1), 'events');
  t.deepEqual(
    steps(answer.json).map(([state, attempt, detail]) => [
      state,
      attempt,
      String(detail).replace(/again in \d+ ms/, 'again'),
    ]),
    [
      ['Pending', undefined, 'accepted'],
      ['Processing', 1, 'attempt begun'],
      ['Processing', 1, '503 Service Unavailable, again'],
      ['Processing', 2, 'attempt begun'],
      ['Processing', 2, 'connection_reset, again'],
      ['Processing', 3, 'attempt begun'],
      ['Processing', 3, '200 OK'],
      ['Finished', undefined, '200 OK'],
    ],
  );
  t.regex(String(events[2]?.detail), /again in 1000 ms$/, 'what the destination asked for');
  const times = events.map(({ at }) => at);
  t.deepEqual(times, [...times].sort());
  t.is(times[0], answer.json.created_at);
  t.is(times.at(-1), answer.json.updated_at);
  for (const time of times) t.regex(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test('a job that was cancelled in flight says so for its attempt and for itself', async (t) => {
  const relay = await startRelay(t);
  const destination = await startDestination(t, () => undefined);
  const { json } = await relay.submit(destination.url);
  await destination.arrived(1);
  const cancelled = await relay.post('/lp/export?events=true', { id: json.id, action: 'cancel' });
  t.deepEqual(steps(cancelled.json), [
    ['Pending', undefined, 'accepted'],
    ['Processing', 1, 'attempt begun'],
    ['Processing', 1, 'cancelled'],
    ['Finished', undefined, 'cancelled'],
  ]);
});

test('without it, or with events=false, an answer has no events', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const { json } = await relay.submit(destination.url);
  for (const query of ['', '?events=false', '?events=0']) {
    t.is((await relay.post(`/export${query}`, { id: json.id })).json.events, undefined);
  }
});
