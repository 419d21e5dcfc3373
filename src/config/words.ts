import { isIP } from 'node:net';
import { type ArbiterEndpoint, parseArbiterEndpoint } from '../arbiter/endpoint.js';
import { type Destination, parseDestination } from '../egress/destination.js';
import { type Network, parseNetwork } from '../egress/network.js';
import { parseUrl } from '../url.js';
import { type Parsed, port, type Unit, unit } from './units.js';

/** A name that others have to spell exactly, as in a `target = …` caveat. */
export const name: Unit<string> = unit({
  placeholder: 'NAME',
  expected: 'a name of 1 to 255 characters without white space',
  read: (text) => (/^[^\s\p{Cc}]{1,255}$/u.test(text) ? text : undefined),
  format: asIs,
});

/**
 * A macaroon secret. White space around it is refused rather than trimmed: the secret is used byte for byte, and
 * a stray line feed of a file would make every macaroon fail without a word.
 */
export const secret: Unit<string> = exact({
  placeholder: 'SECRET',
  expected: 'a secret that is not empty and has no white space around it',
  form: /^\S(?:.*\S)?$/su,
});

const whsec = 'whsec_';

/** A key for signing deliveries as Standard Webhooks writes it; 24 to 64 bytes by the specification. */
export const signingKey: Unit<Uint8Array> = unit<Uint8Array>({
  placeholder: 'KEY',
  expected: `${whsec} followed by the base64 of 24 to 64 random bytes`,
  read: (text) => {
    const encoded = text.startsWith(whsec) ? text.slice(whsec.length) : '';
    const key = Buffer.from(encoded, 'base64');
    // Receivers decode strictly, so a key has to be spelt the one canonical way.
    return key.length >= 24 && key.length <= 64 && key.toString('base64') === encoded ? key : undefined;
  },
  format: (key) => whsec + Buffer.from(key).toString('base64'),
});

/** An address to listen on: an IP address (IPv6 with or without brackets) or a host name. */
export const host: Unit<string> = unit({
  placeholder: 'ADDRESS',
  expected: 'an IP address or a host name, such as 127.0.0.1, :: or localhost',
  read: (text) => {
    const bare = /^\[([^[\]]*)\]$/.exec(text)?.[1];
    if (bare !== undefined) return isIP(bare) === 6 ? bare : undefined;
    return isIP(text) !== 0 || isHostName(text) ? text : undefined;
  },
  format: asIs,
});

/** Where to listen. */
export interface ListenAddress {
  readonly host: string;
  /** 0 lets the system pick a free one. */
  readonly port: number;
}

/** An address and a port to listen on, or not to listen at all. */
export const listenAddress: Unit<ListenAddress | 'off'> = unit<ListenAddress | 'off'>({
  placeholder: 'ADDRESS:PORT',
  expected: 'an address and a port, such as 127.0.0.1:8081, [::1]:8081 or localhost:8081, or off',
  read: (text) => {
    if (text === 'off') return text;
    const [, hostText = '', portText = ''] = /^(\[[^[\]]*\]|[^:]+):(\d+)$/.exec(text) ?? [];
    const [read, number] = [host.parse(hostText), port.parse(portText)];
    return read.ok && number.ok ? { host: read.value, port: number.value } : undefined;
  },
  format: (address) =>
    address === 'off'
      ? address
      : `${isIP(address.host) === 6 ? `[${address.host}]` : address.host}:${address.port}`,
});

/** A network whose addresses exports may reach although they are not public. */
export const network: Unit<Network> = unit({
  placeholder: 'CIDR',
  expected:
    'a network in CIDR notation, such as 192.168.0.0/16 or fd00::/8, with no bits set behind its prefix',
  read: parseNetwork,
  format: ({ text }) => text,
});

/** Where the arbiter is. Nothing secret can be part of it, so it may be printed. */
export const arbiterEndpoint: Unit<ArbiterEndpoint> = unit({
  placeholder: 'URL',
  expected: 'the endpoint of an arbiter, such as tcp://arbiter:4444 (Zest) or https://arbiter:8080',
  read: (text) => {
    const parsed = parseArbiterEndpoint(text);
    return parsed.ok ? parsed.endpoint : undefined;
  },
  format: ({ address }) => address,
});

/** A file or a directory. */
export const filePath: Unit<string> = unit({
  placeholder: 'PATH',
  expected: 'a path',
  read: (text) => (text === '' || text.includes('\0') ? undefined : text),
  format: asIs,
});

const patternExpected =
  'an https: or http: URL without user information or fragment; a path that ends in /* covers what lies below it';

/** A destination as in a `destination = …` caveat, see `matchesPattern`. */
export const destinationPattern: Unit<string> = {
  placeholder: 'URL',
  expected: patternExpected,
  parse: (untrimmed) => {
    const text = untrimmed.trim();
    const parsed = parseDestination(text);
    if (!parsed.ok) return notAPattern(`it ${parsed.reason}`);
    // It would parse, match nothing, and look as if it covered all subdomains.
    if (parsed.destination.host.includes('*')) return notAPattern('a host cannot hold a *');
    return { ok: true, value: text };
  },
  format: asIs,
};

/**
 * An origin as a browser sends it. `*` is no origin: a page of any site could then reach a relay inside somebody's own
 * network; `null` stands for files and sandboxes, which anybody can make.
 */
export const webOrigin: Unit<string> = unit({
  placeholder: 'ORIGIN',
  expected:
    'an origin, which is scheme://host and a port where it is not the default, such as https://app.example or http://localhost:3000, without a path; there is no * for all',
  read: (text) => {
    const url = parseUrl(text);
    if (!/^[a-z][a-z0-9+.-]*:\/\/[^\s\p{Cc}/?#@\\*,]+$/iu.test(text) || url === undefined) return undefined;
    const { origin } = url;
    // Schemes of an app's own, such as capacitor:, have no origin by the standard, and are sent as they are.
    if (origin !== 'null') return origin;
    return /^file:/i.test(text) ? undefined : text.toLowerCase();
  },
  format: asIs,
});

/** A destination as in a job's `uri`. */
export const uri: Unit<Destination> = {
  placeholder: 'URL',
  expected: 'an https: or http: URL',
  parse: (text) => {
    const parsed = parseDestination(text.trim());
    return parsed.ok
      ? { ok: true, value: parsed.destination }
      : { ok: false, expected: `an https: or http: URL (this one ${parsed.reason})` };
  },
  format: ({ text }) => text,
};

function notAPattern(reason: string): Parsed<string> {
  return { ok: false, expected: `${patternExpected} (${reason})` };
}

/** A text of a given form, taken as it is: no white space is trimmed. */
export function exact({
  placeholder,
  expected,
  form,
}: {
  readonly placeholder: string;
  readonly expected: string;
  readonly form: RegExp;
}): Unit<string> {
  const parse = (text: string): Parsed<string> =>
    form.test(text) ? { ok: true, value: text } : { ok: false, expected };
  return { placeholder, expected, parse, format: asIs };
}

/** Labels of letters, digits and inner hyphens; the last is not a number, or it would be a mistyped address. */
function isHostName(text: string): boolean {
  const labels = text.split('.');
  return (
    text.length <= 253 &&
    labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label)) &&
    !/^(?:\d+|0x[0-9a-f]*)$/i.test(labels.at(-1) ?? '')
  );
}

function asIs(text: string): string {
  return text;
}
