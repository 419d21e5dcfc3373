import test from 'ava';
import { explain, listed } from '#relay/macaroon/explain.js';
import { parseCaveat } from '#relay/macaroon/predicate.js';
import { digest, uuid } from '../helpers/macaroon_facts.js';

for (const [caveat, sentence] of [
  ['target = export-service', 'Only at the relay whose name is export-service.'],
  ['path = /export', 'Only requests to the path /export.'],
  ['path = /lp/*', 'Only requests to paths that begin with /lp/.'],
  ['path = *', 'Only requests to paths that begin with anything, which is all of them.'],
  ['method = post', 'Only requests with the method POST.'],
  ['destination = https://a/b/*', 'Only exports to what lies below https://a/b/ on that server.'],
  ['destination = https://a/b', 'Only exports to exactly https://a/b.'],
  ['destination = https://a/?b=/*', 'Only exports to exactly https://a/?b=/*.'],
  ['destination = https://a/b*', 'Only exports to exactly https://a/b*.'],
  ['time < 2030-01-31T12:00:00+01:00', 'Only before 2030-01-31T11:00:00.000Z.'],
  [`job = ${uuid}`, `Only requests about the job ${uuid}: new jobs are not among them.`],
  ['action = submit', 'Only to submit new jobs.'],
  ['action = poll|cancel', 'Only to ask about known ones or cancel them.'],
  ['action = submit|poll|cancel', 'Only to submit new jobs, ask about known ones or cancel them.'],
  ['bytes <= 10', 'New jobs only with data of at most 10 bytes.'],
  [`sha256 = ${digest}`, `New jobs only with the data whose SHA-256 is ${digest}.`],
  ['bytes <= x', 'No request satisfies it: its bytes must be a plain decimal number.'],
] as const) {
  test(`"${caveat}" says to a person: ${sentence}`, (t) => {
    t.is(explain(parseCaveat(caveat)), sentence);
  });
}

test('a list of words has commas, and a word before the last', (t) => {
  t.is(listed(['a'], 'and'), 'a');
  t.is(listed(['a', 'b'], 'and also'), 'a and also b');
  t.is(listed(['a', 'b', 'c'], 'or'), 'a, b or c');
});
