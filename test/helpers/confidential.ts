import { subscribe } from 'node:diagnostics_channel';
import type { IncomingHttpHeaders } from 'node:http';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { request } from 'undici';

/**
 * After every test: nothing that was exported, and nothing that opens anything, is in what a relay leaves behind or
 * shows. The helpers say here what passes through them; each relay of a test is looked through when it stops.
 */

/** What must be found nowhere, and how it is called where it is. */
type Secrets = Map<string, string>;

interface Watch {
  readonly secrets: Secrets;
  /** What is shown on purpose: purposes, addresses. */
  readonly shown: Set<string>;
}

/** Those that are not looked through yet: each is told of all that passes meanwhile. */
const watches = new Set<Watch>();
/** What every relay is looked through for. */
const standing: Secrets = new Map();

/** Whatever thousands of exports a test makes, looking for some hundreds is as telling, and costs nothing. */
const maxSecrets = 400;
/** The record of half an hour's load has gigabytes. */
const maxAuditCharacters = 2 ** 24;
/** What is shorter can stand somewhere by chance. */
const shortestText = 12;
const shortestPayload = 6;
/** A leak may be cut off behind its beginning. */
const telling = 48;

function keep(kind: string, text: string): void {
  for (const { secrets } of watches) if (secrets.size < maxSecrets) secrets.set(text, kind);
}

/** A macaroon that a client holds. Its last characters are of its signature. */
export function keepMacaroon(token: string): void {
  if (token.length < 40) return;
  keep('a macaroon', token);
  keep('the end of a macaroon', token.slice(-40));
  const signature = Buffer.from(token, 'base64url').subarray(-33, -1);
  keep("a macaroon's signature", signature.toString('hex'));
  keep("a macaroon's signature", signature.toString('base64url'));
}

/** The body of a submission, as it was sent or as the value that it will be written from. */
export function keepSubmission(body: unknown): void {
  if (watches.size === 0) return;
  const { uri, purpose, data, headers } = membersOf(body);
  for (const text of [uri, purpose]) if (typeof text === 'string') show(text);
  if (data !== undefined) keepPayload(typeof data === 'string' ? data : jsonOf(data));
  for (const value of Object.values(membersOf(headers))) keepText('a header for a destination', value);
}

/** What a destination answers. */
export function keepAnswer(text: unknown): void {
  if (watches.size > 0) keepText("a destination's answer", Buffer.isBuffer(text) ? text.toString() : text);
}

/** A secret that relays of this process may be given: of macaroons, for their arbiter, a private key. */
export function keepSecret(text: string): void {
  if (text.length >= shortestText) standing.set(text.slice(0, telling), 'a secret of the relay');
}

function keepText(kind: string, text: unknown): void {
  if (typeof text === 'string' && text.length >= shortestText) keep(kind, text.slice(0, telling));
}

function keepPayload(text: string): void {
  if (text.length >= shortestPayload) keep('a payload', text.slice(0, telling));
}

/** Nothing for what is nested deeper than it can be written. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return '';
  }
}

function show(text: string): void {
  for (const { shown } of watches) if (shown.size < maxSecrets) shown.add(text);
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'string') {
    try {
      return membersOf(JSON.parse(value));
    } catch {
      return {};
    }
  }
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

// However a client of a test is written: what reaches a relay or a destination in this process comes by here.
subscribe('http.server.request.start', (message) => {
  if (watches.size > 0)
    keepHeaders((message as { request: { headers: IncomingHttpHeaders } }).request.headers);
});

function keepHeaders({ 'x-api-key': key, authorization }: IncomingHttpHeaders): void {
  if (typeof key === 'string') keepMacaroon(key);
  const [scheme = '', credentials = ''] = (authorization ?? '').split(' ');
  if (scheme.toLowerCase() !== 'basic') keepText('credentials', credentials);
  else keepMacaroon(Buffer.from(credentials, 'base64').toString().split(':')[0] ?? '');
}

/** Looks through one relay. */
export class Confidential {
  readonly #watch: Watch = { secrets: new Map(standing), shown: new Set() };
  readonly #auditFile: string | undefined;
  readonly #seen = new Map<string, string>();

  /** From the start of a relay on, which was given these words: its flags and variables. */
  constructor(words: readonly string[]) {
    watches.add(this.#watch);
    for (const word of words) {
      const secret = /^(?:--secret|--signing-key|EXPORT_SECRET|EXPORT_SIGNING_KEY)=(.*)$/s.exec(word)?.[1];
      if (secret !== undefined && secret.length >= shortestPayload)
        this.#watch.secrets.set(secret, 'a secret');
    }
    this.#auditFile = words
      .map((word) => /^--audit=(.*)$/.exec(word)?.[1])
      .find((path) => path !== undefined);
  }

  /** Something that a relay wrote or showed. */
  see(where: string, text: string): void {
    this.#seen.set(where, text);
  }

  /** What the admin listener shows once anything was submitted; it may have gone, or stand still. */
  async seeAdmin(url: string | undefined, paths: readonly string[]): Promise<void> {
    if (url === undefined || url === '' || this.#watch.shown.size === 0) return;
    for (const path of paths) {
      try {
        const { body } = await request(`${url}${path}`, { signal: AbortSignal.timeout(1000), reset: true });
        this.see(path, await body.text());
      } catch {
        return;
      }
    }
  }

  /** Throws what was found, once the relay has ended. */
  async look(): Promise<void> {
    watches.delete(this.#watch);
    if (this.#auditFile !== undefined) await this.#seeAudit(this.#auditFile);
    const shown = [...this.#watch.shown].join('\n');
    for (const [secret, kind] of this.#watch.secrets) {
      const written = JSON.stringify(secret).slice(1, -1);
      for (const [where, text] of this.#seen) {
        if (!text.includes(secret) && !text.includes(written)) continue;
        if (!shown.includes(secret))
          throw new Error(`${kind} is in ${where}: ${around(text, secret, written)}`);
      }
    }
  }

  async #seeAudit(path: string): Promise<void> {
    const name = basename(path);
    const files = await readdir(dirname(path)).catch(() => []);
    let read = 0;
    for (const file of files.filter((entry) => entry === name || /^\.\d+$/.test(entry.slice(name.length)))) {
      if (read > maxAuditCharacters) return;
      const text = await readFile(join(dirname(path), file), 'utf8');
      this.see(`the audit record ${file}`, text);
      read += text.length;
    }
  }
}

/** What the admin listener has to show, for people and for scrapers. */
export const adminPaths = ['/metrics', '/api/exports?limit=200', '/api/summary'];

function around(text: string, secret: string, written: string): string {
  const at = text.includes(secret) ? text.indexOf(secret) : text.indexOf(written);
  return text.slice(Math.max(0, at - 100), at + 100);
}
