import test from 'ava';
import { startRelay } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';
import { parseRequestOptions } from '#relay/http/request_options.js';

function parse(query: string, keys?: readonly string[]): unknown {
  const result = parseRequestOptions(new URLSearchParams(query), keys);
  if (result.ok) return result.value;
  return result.failure.code === 'invalid_request' ? result.failure.errors.map(({ field }) => field) : [];
}

const defaults = { dryRun: false, events: false, idempotencyKey: undefined };

for (const [query, expected] of [
  ['', defaults],
  ['dry_run=true', { ...defaults, dryRun: true }],
  ['dry_run=1&events=1', { ...defaults, dryRun: true, events: true }],
  ['dry_run=false&events=0', defaults],
  ['dry_run=1&dry_run=true', { ...defaults, dryRun: true }],
  ['dry_run=true&dry_run=false', ['dry_run']],
  ['dry_run=', ['dry_run']],
  ['dry_run', ['dry_run']],
  ['dry_run=TRUE', ['dry_run']],
  ['dry_run=yes&events=2', ['dry_run', 'events']],
  ['events=true&events=maybe', ['events']],
  ['until=Pending&events=x', ['events', 'until']],
  ['until=Finished', defaults],
  ['DRY_RUN=true', defaults],
] as const) {
  test(`?${query}`, (t) => {
    t.deepEqual(parse(query), expected);
  });
}

for (const [key, fits] of [
  ['k', true],
  ['two words', true],
  ['k'.repeat(255), true],
  ['k'.repeat(256), false],
  ['', false],
  [' ', false],
  [' k', false],
  ['k ', false],
  ['ü', false],
  ['a\nb', false],
  ['k\n', false],
] as const) {
  test(`the key ${JSON.stringify(key.slice(0, 9))} of ${key.length} characters is ${fits ? 'one' : 'none'}`, (t) => {
    t.deepEqual(parse('', [key]), fits ? { ...defaults, idempotencyKey: key } : ['Idempotency-Key']);
  });
}

test('a comma is a character of a key like any other', (t) => {
  t.deepEqual(parse('', ['a, b']), { ...defaults, idempotencyKey: 'a, b' });
});

for (const path of ['/export', '/lp/export']) {
  for (const [name, value] of [
    ['dry_run', 'maybe'],
    ['events', 'maybe'],
    ['until', 'Processing'],
  ] as const) {
    test(`${path}?${name}=${value} gets 400 whatever is asked for, and does nothing`, async (t) => {
      const relay = await startRelay(t);
      const destination = await startDestination(t, () => undefined);
      const { json } = await relay.submit(destination.url);
      for (const body of [
        { id: '', uri: destination.url, data: '{}' },
        { id: json.id },
        { id: json.id, action: 'cancel' },
      ]) {
        const answer = await relay.post(`${path}?${name}=${value}`, body);
        t.like(answer, { status: 400, json: { code: 'invalid_request' } });
        t.deepEqual(
          answer.json.errors?.map(({ field }) => field),
          [name],
        );
      }
      t.not((await relay.post('/export', { id: json.id })).json.state, 'Finished');
    });
  }
}
