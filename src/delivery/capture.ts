import type { Readable } from 'node:stream';
import { constants, createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { ByteList } from '../byte_list.js';

/** A response body as it is kept. */
export interface CapturedBody {
  readonly body: string;
  readonly encoding: 'utf-8' | 'base64';
  readonly truncated: boolean;
}

/** The bytes of a body as far as they came and fit. */
export interface KeptBytes {
  readonly bytes: Buffer;
  readonly truncated: boolean;
}

/** Takes the pieces of a body, up to a cap. */
export class BoundedBytes {
  readonly #maxBytes: number;
  readonly #list = new ByteList();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether all of it fitted; the rest of the body is not wanted otherwise. */
  add(chunk: Buffer): boolean {
    const room = this.#maxBytes - this.#list.size;
    const fits = chunk.length <= room;
    this.#list.add(fits ? chunk : chunk.subarray(0, room));
    return fits;
  }

  get bytes(): Buffer {
    return this.#list.bytes;
  }
}

/** A body without its content codings, which are undone up to `maxBytes`, as text. Never throws. */
export async function captureBody(
  wire: KeptBytes,
  contentEncoding: string | undefined,
  maxBytes: number,
): Promise<CapturedBody> {
  return asText(contentEncoding === undefined ? wire : await decompress(wire, contentEncoding, maxBytes));
}

/** What a decoder gives, as far as it fits. Leaving the loop destroys it. */
async function collect(decoder: Readable, maxBytes: number): Promise<KeptBytes> {
  const kept = new BoundedBytes(maxBytes);
  let truncated = false;
  // Destroying it part-way makes it report that, after nobody listens any more.
  decoder.on('error', () => undefined);
  try {
    for await (const chunk of decoder as AsyncIterable<Buffer>) {
      truncated = !kept.add(chunk);
      if (truncated) break;
    }
  } catch {
    truncated = true;
  }
  return { bytes: kept.bytes, truncated };
}

/** A body may be in several codings, one upon another. More than this many are somebody's joke. */
const maxCodings = 4;

/** The body without its content codings; as it came, if one is unknown or the bytes are not in it. */
async function decompress(wire: KeptBytes, contentEncoding: string, maxBytes: number): Promise<KeptBytes> {
  const codings = contentEncoding.toLowerCase().split(',');
  if (codings.length > maxCodings) return wire;
  let plain = wire;
  // They are listed in the order they were applied (RFC 9110 section 8.4).
  for (const coding of codings.reverse()) {
    const decoder = decoderFor(coding.trim());
    if (decoder === 'unknown') return wire;
    if (decoder === 'identity' || plain.bytes.length === 0) continue;
    // Written first, and then ended: all that can be read comes out before it is found that the end is missing.
    decoder.write(plain.bytes);
    decoder.end();
    const inner = await collect(decoder, maxBytes);
    if (inner.bytes.length === 0 && inner.truncated) return wire;
    plain = { bytes: inner.bytes, truncated: inner.truncated || plain.truncated };
  }
  return plain;
}

type Decoder = Readable & { write(bytes: Buffer): unknown; end(): unknown };

function decoderFor(coding: string): Decoder | 'identity' | 'unknown' {
  switch (coding) {
    // The flush mode makes a decoder give out what it has of each write, though its input may have been cut.
    case 'gzip':
    case 'x-gzip':
      return createGunzip({ flush: constants.Z_SYNC_FLUSH });
    case 'deflate':
      return createInflate({ flush: constants.Z_SYNC_FLUSH });
    case 'br':
      return createBrotliDecompress({ flush: constants.BROTLI_OPERATION_FLUSH });
    case '':
    case 'identity':
      return 'identity';
    default:
      return 'unknown';
  }
}

/** A byte order mark is kept: the body is passed on, not interpreted. */
const exactly = { fatal: true, ignoreBOM: true } as const;
const utf8 = new TextDecoder('utf-8', exactly);

function asText({ bytes, truncated }: KeptBytes): CapturedBody {
  try {
    // A cut may fall inside a character. Of a stream, what is left of that waits for the rest, which never comes.
    const body = truncated
      ? new TextDecoder('utf-8', exactly).decode(bytes, { stream: true })
      : utf8.decode(bytes);
    return { body, encoding: 'utf-8', truncated };
  } catch {
    return { body: bytes.toString('base64'), encoding: 'base64', truncated };
  }
}
