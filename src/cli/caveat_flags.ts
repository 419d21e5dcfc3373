import { list, optional, type ValuesOf } from '../config/setting.js';
import { destinationPattern, exact, name } from '../config/words.js';
import { expiry, formatTime } from './expiry.js';

const path = exact({
  placeholder: 'PATH',
  expected: 'a path that begins with /, such as /lp/export or /lp/*, or * for any',
  form: /^(?:\/[^\s\p{Cc}]*|\*)$/u,
});
/** An HTTP method. */
export const method = exact({
  placeholder: 'METHOD',
  expected: 'an HTTP method, such as POST',
  form: /^[a-z]+$/i,
});
const caveat = exact({
  placeholder: 'CAVEAT',
  expected: 'a caveat such as "bytes <= 1000", without control characters or white space around it',
  form: /^(?!\s)\P{Cc}+(?<!\s)$/u,
});

/** Flags that restrict a macaroon, for every command that writes caveats. */
export const restrictions = {
  path: optional(path, {
    flag: 'path',
    help: 'Only requests to this path; one that ends in * covers what begins so.',
  }),
  method: optional(method, { flag: 'method', help: 'Only requests with this HTTP method.' }),
  target: optional(name, { flag: 'target', help: 'Only the relay of this name.' }),
  destination: optional(destinationPattern, {
    flag: 'destination',
    help: 'Only exports to this URL; one that ends in /* covers what lies below it.',
  }),
  expires: optional(expiry, {
    flag: 'expires',
    help: 'Only until then: a time such as 2030-01-31T12:00:00Z, or a duration from now such as 1h or 7d.',
  }),
};

/** Caveats as text. */
export const otherCaveats = list(caveat, {
  flag: 'caveat',
  none: '',
  help: 'Any other caveat, as text; they follow the ones above.',
});

/** The caveats, in the order in which the platform's arbiter writes them; the time, which it does not write, is last. */
export function restrictionsOf(wanted: ValuesOf<typeof restrictions>, nowMs: number): readonly string[] {
  const { path, method, target, destination, expires } = wanted;
  const until = expires?.kind === 'after' ? nowMs + expires.ms : expires?.ms;
  return [
    ...(path === undefined ? [] : [`path = ${path}`]),
    ...(method === undefined ? [] : [`method = ${method.toUpperCase()}`]),
    ...(target === undefined ? [] : [`target = ${target}`]),
    ...(destination === undefined ? [] : [`destination = ${destination}`]),
    ...(until === undefined ? [] : [`time < ${formatTime(until)}`]),
  ];
}
