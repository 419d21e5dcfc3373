import { list, optional, single, toggle, type ValuesOf } from '../config/setting.js';
import { duration, integer, maxTimerMs, type Unit, unit } from '../config/units.js';
import { exact, filePath, uri } from '../config/words.js';
import { parseUrl } from '../url.js';

const relayUrl: Unit<string> = unit({
  placeholder: 'URL',
  expected: 'the http: or https: address of a relay, such as https://export-service:8080',
  read: (text) => (/^https?:\/\/[^\s?#@]+$/i.test(text) && parseUrl(text) ? text : undefined),
  format: (text) => text,
});
const macaroon = exact({
  placeholder: 'MACAROON',
  expected: 'a macaroon, which is base64',
  form: /^\s*[\w+/-]+={0,2}\s*$/,
});
const purpose = exact({
  placeholder: 'TEXT',
  expected: 'one line of at most 200 characters',
  form: /^\P{Cc}{1,200}$/u,
});
const idempotencyKey = exact({
  placeholder: 'KEY',
  expected: '1 to 255 characters of printable ASCII, without spaces around it',
  form: /^[!-~](?:[ -~]{0,253}[!-~])?$/,
});

/** A header for the destination, as its name and value. */
const header: Unit<readonly [string, string]> = unit<readonly [string, string]>({
  placeholder: 'HEADER',
  expected: 'a header such as "Accept: application/json"',
  read: (text) => {
    const [, name, value] = /^([!#$%&'*+.^`|~\w-]+):[ \t]*([\x20-\x7e]*)$/.exec(text) ?? [];
    return name === undefined || value === undefined ? undefined : [name, value];
  },
  format: ([name, value]) => `${name}: ${value}`,
});

/** The flags of `send`. */
export const sendFlags = {
  to: optional(uri, { flag: 'to', help: 'Where the data goes.' }),
  url: optional(relayUrl, { flag: 'url', variable: 'EXPORT_RELAY_URL', help: 'Where the relay is.' }),
  macaroon: optional(macaroon, {
    flag: 'macaroon',
    variable: 'EXPORT_RELAY_MACAROON',
    secret: true,
    help: 'What permits it. Other users of the machine can read a command line, so prefer the variable.',
  }),
  purpose: optional(purpose, { flag: 'purpose', help: "Why the data leaves, for the data's owner." }),
  headers: list(header, {
    flag: 'header',
    none: '',
    secret: true,
    help: 'A header for the destination.',
  }),
  idempotencyKey: optional(idempotencyKey, {
    flag: 'idempotency-key',
    help: 'Makes it harmless to send again: the same key, data and destination are one export.',
  }),
  noWait: toggle({ flag: 'no-wait', help: "Print the jobs' ids as soon as the relay has accepted them." }),
  json: toggle({ flag: 'json', help: "Print the relay's final answers, one line of JSON for each export." }),
  output: optional(filePath, {
    flag: 'output',
    short: 'o',
    help: "Write the body of the destination's answer to this file, decoded, whatever its status.",
  }),
  concurrency: single(integer({ min: 1, max: 256 }), {
    flag: 'concurrency',
    default: 4,
    help: 'Exports under way at once.',
  }),
  timeoutMs: single(duration({ maxMs: maxTimerMs }), {
    flag: 'timeout',
    default: 15 * 60_000,
    help: 'How long to wait for each export; a job that was accepted goes on.',
  }),
};
export type SendWanted = ValuesOf<typeof sendFlags>;
