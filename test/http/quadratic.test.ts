import test from 'ava';
import { authenticate } from '#relay/http/authenticate.js';
import { parsePollOptions } from '#relay/http/poll_options.js';
import { MacaroonVerifier } from '#relay/macaroon/verify.js';

const many = 50_000;
/** Reading these texts takes a millisecond or two; with an expression that backtracks several seconds. */
const boundMs = 1000;

function elapsedMs(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

const verifier = new MacaroonVerifier({ secrets: ['s'], cacheEntries: 1 });
const facts = { target: 'x', path: '/export', method: 'POST', nowMs: 0 };

for (const [what, authorization] of [
  ['spaces', `Basic${' '.repeat(many)}!`],
  ['spaces after the name', `Basic eA==${' '.repeat(many)}!`],
  ['letters', `Basic ${'a'.repeat(many)}!`],
] as const) {
  test(`the time to read Basic credentials grows with their length alone: ${what}`, (t) => {
    t.true(elapsedMs(() => authenticate({ authorization }, verifier, facts)) < boundMs);
  });
}

for (const [what, text] of [
  ['digits', `${'1'.repeat(many)}x`],
  ['decimals', `${'1'.repeat(many)}.${'1'.repeat(many)}x`],
  ['an exponent', `1e${'1'.repeat(many)}x`],
  ['spaces', `${' '.repeat(many)}x`],
  ['spaces behind', `1${' '.repeat(many)}x`],
] as const) {
  test(`the time to read a wait grows with its length alone: ${what}`, (t) => {
    const headers = { prefer: undefined, ifNoneMatch: undefined };
    const took = elapsedMs(() => parsePollOptions(new URLSearchParams({ timeout: text }), headers, 1000));
    t.true(took < boundMs);
  });
}

for (const [what, prefer] of [
  ['spaces', `wait${' '.repeat(many)}x`],
  ['spaces for a value', `wait=${' '.repeat(many)}`],
  ['commas', ', '.repeat(many)],
  ['names', ',wait '.repeat(many)],
] as const) {
  test(`the time to read a preference grows with its length alone: ${what}`, (t) => {
    const headers = { prefer, ifNoneMatch: undefined };
    t.true(elapsedMs(() => parsePollOptions(new URLSearchParams(), headers, 1000)) < boundMs);
  });
}
