import test from 'ava';
import { parsePollOptions } from '#relay/http/poll_options.js';

const maxWaitMs = 55_000;

function parse(query: string, headers: { prefer?: string; ifNoneMatch?: string } = {}): unknown {
  const { prefer, ifNoneMatch } = headers;
  const result = parsePollOptions(new URLSearchParams(query), { prefer, ifNoneMatch }, maxWaitMs);
  return result.ok ? result.value : result.failure.code;
}

for (const [query, waitMs, why] of [
  ['', 5000, 'absent'],
  ['timeout=', 5000, 'empty'],
  ['timeout=nan', 5000, 'not a number'],
  ['timeout=inf', 5000, 'not finite'],
  ['timeout=Infinity', 5000, 'not finite'],
  ['timeout=1e999', 5000, 'not finite'],
  ['timeout=0x10', 5000, 'not decimal'],
  ['timeout=5;6', 5000, 'not one number'],
  ['timeout=0', 0, 'at once'],
  ['timeout=-1', 0, 'negative'],
  ['timeout=1.5', 1500, 'decimals'],
  ['timeout=.25', 250, 'decimals without a leading digit'],
  ['timeout=1e10', maxWaitMs, 'far too long'],
  ['timeout=1e1', 10_000, 'an exponent'],
  ['timeout=3&timeout=9', 3000, 'the first of two'],
  ['timeout=x&timeout=9', 5000, 'the first of two, whatever it is'],
] as const) {
  test(`?${query} waits ${waitMs} ms: ${why}`, (t) => {
    t.deepEqual(parse(query), { waitMs, until: 'change' });
  });
}

for (const [prefer, waitMs] of [
  ['wait=7', 7000],
  ['respond-async, wait=7', 7000],
  ['Wait = "7"', 7000],
  ['wait=99999', maxWaitMs],
  ['wait=soon', 5000],
  ['await=7', 5000],
] as const) {
  test(`Prefer: ${prefer} waits ${waitMs} ms`, (t) => {
    t.like(parse('', { prefer }), { waitMs });
  });
}

test('the query goes before Prefer', (t) => {
  t.like(parse('timeout=1', { prefer: 'wait=7' }), { waitMs: 1000 });
});

for (const [ifNoneMatch, knownVersion] of [
  ['"3"', 3],
  ['W/"3"', 3],
  ['"3", "4"', 3],
  ['"x"', undefined],
  ['3', undefined],
  ['*', undefined],
  ['""', undefined],
] as const) {
  test(`If-None-Match: ${ifNoneMatch} knows ${String(knownVersion)}`, (t) => {
    t.like(parse('', { ifNoneMatch }), knownVersion === undefined ? { until: 'change' } : { knownVersion });
    t.is((parse('', { ifNoneMatch }) as { knownVersion?: number }).knownVersion, knownVersion);
  });
}

test('until is Finished or absent', (t) => {
  t.like(parse('until=Finished'), { until: 'Finished' });
  for (const query of ['until=', 'until=finished', 'until=Pending']) t.is(parse(query), 'invalid_request');
});
