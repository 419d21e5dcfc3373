import test from 'ava';
import { covers } from './coverage.js';
import { parseMutantArguments } from './arguments.js';
import { readKnownSurvivors, withoutMutant } from './known.js';
import { type Mutant, describeMutant, mutate, mutantsOf } from './mutants.js';

/** The text of each mutant of a module. */
function mutations(source: string): readonly string[] {
  return mutantsOf('a/b.js', source).map((mutant) => mutate(source, mutant));
}

for (const [source, expected] of [
  ['if (a) b;', ['if (!(a)) b;', 'if (a) ;']],
  ['while (!a) b();', ['while ((a)) b();', 'while (!a) ;']],
  ['x = a < b;', [';', 'x = a <= b;']],
  ['x = a >= b ? 7 : c;', [';', 'x = !(a >= b) ? 7 : c;', 'x = a > b ? 7 : c;', 'x = a >= b ? 8 : c;']],
  ['if (a === b) {}', ['if (a !== b) {}']],
  ['let x = a && b;', ['let x = ((a) || (b));', 'let x = (a);', 'let x = (b);']],
  ['let x = a ?? b;', ['let x = (a);', 'let x = (b);']],
  ['let x = a?.b?.[c]?.(d);', ['a?.b?.[c](d)', 'a?.b[c]?.(d)', 'a.b?.[c]?.(d)'].map((x) => `let x = ${x};`)],
  ['let x = a - 1;', ['let x = a + 1;', 'let x = a - 0;', 'let x = a - 2;']],
  ["let x = a + 'b';", ["let x = a + '';"]],
  ['let x = true;', ['let x = false;']],
  ['let x = /^a$/i;', ['let x = /a$/i;', 'let x = /^a/i;', 'let x = /^a$/;']],
  ['let f = (a = 2) => a;', ['let f = (a) => a;', 'let f = (a = 3) => a;']],
  ['let f = () => g();', ['let f = () => undefined;']],
  ['let x = Math.min(a, b);', ['let x = Math.max(a, b);']],
  [
    'function f() { if (a) return b; return c; }',
    ['function f() { if (!(a)) return b; return c; }', 'function f() { if (a) ; return c; }'],
  ],
  ['for (;a;) { i++; break; }', ['for (;!(a);) { i++; break; }', ...loops()]],
] as const) {
  test(`the mutants of ${source} are known`, (t) => {
    t.deepEqual(mutations(source), expected);
  });
}

function loops(): readonly string[] {
  return ['for (;a;) { ; break; }', 'for (;a;) { i--; break; }', 'for (;a;) { i++; ; }'];
}

for (const [source, why] of [
  ["import x from 'y';", 'it names a module'],
  ["let x = { 'content-type': y };", 'it names a member'],
  ["let x = 'The relay is stopping.';", 'it is for people'],
  ['let x = `at most ${y} bytes`;', 'it is for people, with a number'],
  ["function f(a) { switch (a) { case 'b': case 'c': return undefined; } }", 'it comes to the same'],
  ["let x = Symbol('verified');", 'it names a symbol'],
  ['class A { constructor(b) { this.b = b; } }', 'an object without its members is no use to any test'],
] as const) {
  test(`there is no mutant of ${source} because ${why}`, (t) => {
    t.deepEqual(mutations(source), []);
  });
}

test('a mutant is known by where it is and what it changes, and told from others that are alike', (t) => {
  const [first, second, other] = mutantsOf(
    'a/b.js',
    'class A { #b() { c(); c(); } }\nconst d = () => { if (!e) c(); };',
  ) as readonly [Mutant, Mutant, Mutant];
  t.is(describeMutant(first), 'a/b.js A.#b: c();  →  nothing');
  t.is(describeMutant(second), 'a/b.js A.#b: c();  →  nothing (number 2)');
  t.is(describeMutant(other), 'a/b.js d: !e  →  (e)');
  t.like(other, { file: 'a/b.js', in: 'd', ordinal: 1, line: 2, operator: 'negation' });
});

test('a change is shown with what is around it, as far as that is short', (t) => {
  const [mutant] = mutantsOf('a/b.js', 'x.y(a.length <\n  b);').slice(1);
  t.is(mutant?.original, 'x.y(a.length < b)');
  t.is(mutant?.mutated, 'x.y(a.length <= b)');
});

test('only what a test runs is played to it', (t) => {
  const coverage = { 'a/b.js': [10, 20, 30, 40] };
  t.deepEqual(
    [9, 10, 19, 20, 30, 40].map((offset) => covers(coverage, 'a/b.js', offset)),
    [false, true, true, false, true, false],
  );
  t.false(covers(coverage, 'a/c.js', 10));
});

test('every survivor that is explained is one of a mutant that there is, and has a reason', (t) => {
  const known = readKnownSurvivors();
  t.deepEqual(withoutMutant(known).map(describeMutant), []);
  for (const entry of known) t.regex(entry.reason, /^[A-Z].{15,}\.$/, describeMutant(entry));
});

test('files are named as in src, in dist or below them, and folders too', (t) => {
  const paths = (...argv: readonly string[]) => {
    const asked = parseMutantArguments(argv);
    return typeof asked === 'string' ? asked : asked.paths;
  };
  t.deepEqual(paths('src/job/lanes.ts', 'dist/job/job.js', 'job/resume', 'src/macaroon', 'egress/'), [
    'job/lanes.js',
    'job/job.js',
    'job/resume.js',
    'macaroon/',
    'egress/',
  ]);
  t.deepEqual(paths(), ['macaroon/', 'job/', 'delivery/']);
  t.is(paths('--all'), 'there is no --all');
  t.is(paths('--seed', 'x'), '--seed expects a whole number from 1');
  t.is(paths('--sample'), '--sample expects a whole number from 1');
});
