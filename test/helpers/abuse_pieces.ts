import { gzipSync } from 'node:zlib';
// Not the package's index, which comes without types.
import MacaroonsBuilder from 'macaroons.js/lib/MacaroonsBuilder.js';
import { mint, secret } from './relay.js';

/** What a client does, one thing after another. Text is Latin-1, so that it can be any bytes. */
export type Piece = string | Repeated | Zeros | Pause | Until | WholeRequest;

interface Repeated {
  readonly text: string;
  readonly times: number;
  readonly join?: string;
}

interface Zeros {
  /** What so many bytes come to when they are compressed. */
  readonly gzipOfMebibytes: number;
}

interface Pause {
  readonly pauseMs: number;
}

interface Until {
  /** Waits for this text of the relay. */
  readonly until: string;
}

/** A submission as it should be, but for what is said. */
interface WholeRequest {
  readonly line?: string;
  /** Come after those that any request has. */
  readonly headers?: readonly (string | Repeated)[];
  /** Names of headers that are left out. */
  readonly without?: readonly string[];
  readonly body?: string | readonly (string | Repeated | Zeros)[];
}

/** Something to write, or to wait for. */
export type Step = { readonly write: Buffer } | Pause | Until;

const submission = '{"id":"","uri":"<uri>","data":{"k":1}}';

/** What the pieces come to. `uri` is where exports go. */
export function stepsOf(pieces: readonly Piece[], uri: string): readonly Step[] {
  return pieces.map((piece) => {
    if (typeof piece === 'object' && ('pauseMs' in piece || 'until' in piece)) return piece;
    return { write: bytesOf(piece, uri) };
  });
}

function bytesOf(piece: string | Repeated | Zeros | WholeRequest, uri: string): Buffer {
  if (typeof piece === 'string') return Buffer.from(filledIn(piece, uri), 'latin1');
  if ('gzipOfMebibytes' in piece) {
    // Members of a gzip file may follow one another.
    const member = gzipSync(Buffer.alloc(1 << 20));
    return Buffer.concat(Array.from({ length: piece.gzipOfMebibytes }, () => member));
  }
  if ('times' in piece) {
    const { text, times, join = '' } = piece;
    const [one, between] = [bytesOf(text, uri), bytesOf(join, uri)];
    const unit = Buffer.concat([one, between]);
    return Buffer.alloc(unit.length * times - between.length, unit);
  }
  const { line = 'POST /export HTTP/1.1', headers = [], without = [], body = submission } = piece;
  const content = Buffer.concat((typeof body === 'string' ? [body] : body).map((part) => bytesOf(part, uri)));
  const usual = ['Host: relay', 'X-Api-Key: <key>', `Content-Length: ${content.length}`].filter(
    (header) => !without.some((name) => header.startsWith(name)),
  );
  const lines = [line, ...usual, ...headers].map((text) => `${bytesOf(text, uri).toString('latin1')}\r\n`);
  return Buffer.concat([Buffer.from(`${lines.join('')}\r\n`, 'latin1'), content]);
}

/**
 * `<key>` is a good macaroon, `<key path = /export; method = POST>` one with caveats, `<basic>` one for HTTP Basic, `<9 caveats>`
 * one with so many.
 */
function filledIn(text: string, uri: string): string {
  if (!text.includes('<')) return text;
  return text
    .replaceAll(/<key(?: ([^>]*))?>/g, (_all, caveats?: string) => mint(...(caveats?.split('; ') ?? [])))
    .replaceAll('<basic>', () => Buffer.from(`${mint()}:`).toString('base64'))
    .replaceAll(/<(\d+) caveats>/g, (_all, count: string) => withCaveats(Number(count)))
    .replaceAll('<uri>', uri);
}

/** By the library, since the relay's own tools make none with more caveats than it takes. */
function withCaveats(count: number): string {
  const builder = new MacaroonsBuilder('', secret, '');
  for (let made = 0; made < count; made += 1) builder.add_first_party_caveat('method = POST');
  return builder.getMacaroon().serialize();
}
