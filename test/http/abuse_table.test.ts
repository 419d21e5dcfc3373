import { readFileSync } from 'node:fs';
import test from 'ava';
import { abuseCases } from '../helpers/abuse.js';

/** How a title or the name of a row stands in a file. */
function stands(title: string, file: string): boolean {
  const source = readFileSync(file, 'utf8');
  return (
    ["'", '"', '`'].some((mark) => source.includes(`${mark}${title}${mark}`)) ||
    source.includes(`: ${title}\``)
  );
}

test('every way to abuse the relay over HTTP has a test', (t) => {
  const cases = abuseCases();
  t.is(cases.length, 68);
  t.is(new Set(cases.map(({ id }) => id)).size, cases.length);
  for (const { id, variants = [], slow = [], polls = [], tests = [] } of cases) {
    t.true(variants.length + slow.length + polls.length + tests.length > 0, id);
    for (const [file, title] of tests) t.true(stands(title, file), `${id}: ${title} in ${file}`);
  }
});

test('every variant says what the relay answers, or that it closes', (t) => {
  for (const { variants = [], slow = [] } of abuseCases()) {
    for (const { name, answers, closes } of [...variants, ...slow]) {
      t.true(answers.length > 0 || closes === true, name);
    }
  }
});
