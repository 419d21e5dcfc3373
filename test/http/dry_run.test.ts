import test from 'ava';
import { type JobJson, mint, startRelay } from '../helpers/relay.js';
import { stubResolver } from '../helpers/resolver.js';
import { startDestination } from '../helpers/scripted_destination.js';

const uri = 'https://receiver.example/in';
const production = true;

function trial(change: Record<string, unknown> = {}): Record<string, unknown> {
  return { id: '', uri, data: '{}', ...change };
}

test('a dry run says where the data would go and what the macaroon demands, and queues nothing', async (t) => {
  const { lookup } = stubResolver(['203.1.113.7', '2a00::1']);
  const relay = await startRelay(t, [], { production, lookup });
  const caveats = ['path = *', `destination = ${uri}`, 'bytes <= 2'];
  const respelt = 'https://RECEIVER.example:443/x/../in';
  for (const path of ['/export?dry_run=true', '/lp/export?dry_run=1&events=true']) {
    const answer = await relay.post(path, trial({ uri: respelt }), { macaroon: mint(...caveats) });
    t.is(answer.status, 200);
    t.deepEqual(JSON.parse(answer.text), {
      id: '',
      dry_run: { destination: uri, addresses: ['203.1.113.7', '2a00::1'], caveats },
    });
    t.is(answer.headers['content-type'], 'application/json; charset=utf-8');
    t.is(answer.headers['etag'], undefined);
  }
  t.like(relay.service.stats(), { pending: 0, processing: 0, finished: 0, bytes: 0 });
});

test('nothing is connected to', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const { json } = await relay.post('/export?dry_run=true', trial({ uri: destination.url }));
  t.deepEqual(json.dry_run?.addresses, ['127.0.0.1']);
  const { json: real } = await relay.submit(destination.url);
  await relay.finished(real.id);
  t.is(destination.arrivals.length, 1);
});

test('dry_run=false submits', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t)];
  const { json } = await relay.post('/export?dry_run=0', trial({ uri: destination.url }));
  t.is((await relay.finished(json.id)).state, 'Finished');
});

/** An answer without what differs from one request to the next. */
function lasting({ detail = '', ...members }: JobJson): unknown {
  return { ...members, request_id: '', detail: detail.replace(/is now .*/, '') };
}

for (const [body, options, status, code, why] of [
  [trial({ data: 'text' }), {}, 400, 'invalid_request', 'the body'],
  [trial({ headers: { host: 'x' } }), {}, 400, 'invalid_request', 'the headers'],
  ['{', {}, 400, 'malformed_json', 'the syntax'],
  [trial(), { macaroon: 'bad' }, 401, 'invalid_macaroon', 'the signature'],
  [trial(), { macaroon: mint('time < 2020-01-01T00:00:00Z') }, 401, 'caveat_not_satisfied', 'the time'],
  [trial(), { macaroon: mint('action = poll|cancel') }, 401, 'caveat_not_satisfied', 'the action'],
  [trial(), { macaroon: mint('destination = https://x/') }, 401, 'caveat_not_satisfied', 'the caveats'],
  [trial(), { macaroon: mint('bytes <= 1') }, 401, 'caveat_not_satisfied', 'the size'],
  [trial({ uri: 'http://receiver.example/' }), {}, 403, 'destination_refused', 'the scheme'],
  [trial({ uri: 'https://10.0.0.1/' }), {}, 403, 'destination_refused', 'a literal address'],
  [trial({ data: JSON.stringify(['x'.repeat(2000)]) }), {}, 413, 'body_too_large', 'the length'],
  [trial(), { headers: { 'content-encoding': 'gzip' } }, 415, 'unsupported_media_type', 'the encoding'],
  [trial(), { headers: { 'idempotency-key': '' } }, 400, 'invalid_request', 'the key'],
] as const) {
  test(`a dry run checks ${why} as a submission does`, async (t) => {
    const { lookup, asked } = stubResolver(['203.1.113.7']);
    const relay = await startRelay(t, ['--max-body=1kb'], { production, lookup });
    const refused = await relay.post('/export?dry_run=true', body, options);
    t.like(refused, { status, json: { code } });
    const real = await relay.post('/export', body, options);
    t.deepEqual(lasting(refused.json), lasting(real.json));
    t.deepEqual(asked, [], 'no name is looked up for what is refused anyway');
  });
}

test('a dry run tells that the lane is full, and that a key was used for other data', async (t) => {
  const relay = await startRelay(t, ['--max-queued-per-lane=1']);
  const destination = await startDestination(t, () => undefined);
  const body = trial({ uri: destination.url });
  const headers = { 'idempotency-key': 'k' };
  await relay.post('/export', body, { headers });
  const full = await relay.post('/export?dry_run=true', body);
  t.like(full, { status: 429, json: { code: 'lane_full' } });
  t.regex(String(full.headers['retry-after']), /^\d+$/);
  t.is(
    (await relay.post('/export?dry_run=true', body, { headers })).status,
    200,
    'a repetition takes no place',
  );
  t.like(await relay.post('/export?dry_run=true', { ...body, data: '[]' }, { headers }), {
    status: 422,
    json: { code: 'idempotency_conflict' },
  });
});

test('a name that does not resolve and one that resolves to what is refused get one and the same answer', async (t) => {
  const answers = [];
  for (const answer of [{ code: 'ENOTFOUND' }, ['10.1.2.3'], ['203.1.113.7', '::1'], []] as const) {
    const { lookup } = stubResolver(answer);
    const relay = await startRelay(t, [], { production, lookup });
    const { status, json, text } = await relay.post('/export?dry_run=true', trial());
    answers.push({ ...json, status, request_id: '' });
    t.false(text.includes('10.1.2.3') || text.includes('203.1.113.7') || text.includes('::1'));
    const reason =
      'code' in answer
        ? answer.code
        : ['ENODATA', 'private', 'loopback'][answer.length === 0 ? 0 : answer.length];
    t.like(relay.logged('unreachable'), [{ destination: 'https://receiver.example', reason }]);
  }
  t.like(answers[0], { status: 403, code: 'destination_refused', rule: 'unresolvable' });
  for (const answer of answers) t.deepEqual(answer, answers[0]);
});

test('a name whose servers never answer is given up at the attempt’s time', async (t) => {
  const { lookup } = stubResolver('never answers');
  const relay = await startRelay(t, ['--attempt-timeout=100ms'], { production, lookup });
  t.like(await relay.post('/export?dry_run=true', trial()), { status: 403, json: { rule: 'unresolvable' } });
});

test('only a new job can be tried', async (t) => {
  const [relay, destination] = [await startRelay(t), await startDestination(t, () => undefined)];
  const { json } = await relay.submit(destination.url);
  for (const path of ['/export?dry_run=true', '/lp/export?dry_run=true']) {
    for (const body of [{ id: json.id }, { id: json.id, action: 'cancel' }, { id: 'unknown' }]) {
      const answer = await relay.post(path, body);
      t.is(answer.status, 400);
      t.deepEqual(
        answer.json.errors?.map(({ field }) => field),
        ['dry_run'],
      );
    }
  }
  t.is((await relay.post('/export?dry_run=false', { id: json.id })).json.id, json.id);
});
