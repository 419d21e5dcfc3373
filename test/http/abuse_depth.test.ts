import test from 'ava';
import { alone, startWorld } from '../helpers/abuse.js';
import { laterTeardown } from '../helpers/misbehaviour.js';

/** More than the default of a megabyte, which would refuse a million brackets for their number. */
const world = startWorld(laterTeardown(), ['--max-body=9mb']);
/** What takes quadratic time takes hours for a million; a second or two is what other tests beside this one cost. */
const hangMs = 10_000;

const spellings = {
  'bare lists': (deep: number) => '['.repeat(deep) + ']'.repeat(deep),
  'lists as text': (deep: number) => '['.repeat(deep) + ']'.repeat(deep),
  'bare objects': (deep: number) => '{"":'.repeat(deep) + '0' + '}'.repeat(deep),
  'lists without an end': (deep: number) => '['.repeat(deep),
  'lists in a member that nobody reads': (deep: number) => '['.repeat(deep) + ']'.repeat(deep),
};

/** Where each spelling stands in a submission. */
function bodyOf(spelling: keyof typeof spellings, uri: string, text: string): string {
  const start = `{"id":"","uri":"${uri}"`;
  if (spelling === 'lists as text') return `${start},"data":"${text}"}`;
  if (spelling === 'lists in a member that nobody reads') return `${start},"x":${text},"data":{"k":1}}`;
  return `${start},"data":${text}}`;
}

for (const deep of [10_000, 1_000_000]) {
  for (const spelling of Object.keys(spellings) as (keyof typeof spellings)[]) {
    // What is walked, and not only parsed, at its deepest too.
    if (deep > 10_000 && /objects|without an end/.test(spelling)) continue;
    const outcome = spelling === 'lists without an end' ? 'refused' : 'delivered';
    test.serial(`${deep.toLocaleString()} brackets, ${spelling}: ${outcome}, without a hang`, async (t) => {
      const { relay, destination } = await world;
      const text = spellings[spelling](deep);
      const body = bodyOf(spelling, destination.url, text);
      const [before, startedMs] = [destination.arrivals.length, performance.now()];
      const answer = await relay.post('/export', body, alone);
      t.true(performance.now() - startedMs < hangMs);
      if (outcome === 'refused') {
        t.like(answer, { status: 400, json: { code: 'malformed_json' } });
        return;
      }
      t.is(answer.status, 200, answer.text);
      await destination.arrived(before + 1);
      const expected = spelling === 'lists in a member that nobody reads' ? '{"k":1}' : text;
      t.true(destination.arrivals.at(-1)?.body.equals(Buffer.from(expected)));
    });
  }
}
