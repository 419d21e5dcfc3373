import test from 'ava';
import { nearest } from '#relay/config/nearest.js';
import { quote } from '#relay/config/quote.js';

const candidates = ['port', 'secret', 'max-queued', 'max-queued-per-lane', 'concurrency', 'dev'];

for (const [word, meant] of [
  ['prot', 'port'],
  ['Port', 'port'],
  ['ports', 'port'],
  ['secrets', 'secret'],
  ['scret', 'secret'],
  ['max_queued', 'max-queued'],
  ['conc', 'concurrency'],
  ['dve', 'dev'],
  ['x', undefined],
  ['', undefined],
  ['journal', undefined],
  ['toString', undefined],
  ['p'.repeat(10_000), undefined],
] as const) {
  test(`"${word.slice(0, 20)}" most likely means ${meant ?? 'none of them'}`, (t) => {
    t.is(nearest(word, candidates), meant);
  });
}

for (const [text, quoted, why] of [
  ['plain', '"plain"', 'as it is'],
  ['a"b\\', '"a\\"b\\\\"', 'quotes are escaped'],
  ['a\nb\u001b[31m', '"a\\nb\\u001b[31m"', 'nothing that a terminal acts on'],
  ['a\u202eb\u0085\u2028', '"a\\u{202e}b\\u{85}\\u{2028}"', 'nor what turns or breaks the line'],
  ['\ud800', '"\ufffd"', 'half a surrogate pair'],
  ['x'.repeat(100), `"${'x'.repeat(80)}…"`, 'not too long'],
  ['https://u:p@a.example/@', '"https://[redacted]@a.example/@"', 'without the password of a URL'],
] as const) {
  test(`quoting leaves a text readable and harmless: ${why}`, (t) => {
    t.is(quote(text), quoted);
  });
}
