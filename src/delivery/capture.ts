import type { Readable } from 'node:stream';
import { constants, createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

/** A response body as it is kept. */
export interface CapturedBody {
  readonly body: string;
  readonly encoding: 'utf-8' | 'base64';
  readonly truncated: boolean;
}

interface Bytes {
  readonly bytes: Buffer;
  readonly truncated: boolean;
}

/**
 * Reads a response body up to `maxBytes`, on the wire and after decompression alike, and lets go of the rest. A body
 * that breaks off is kept as far as it came. Never throws.
 */
export async function captureBody(
  body: Readable,
  contentEncoding: string | undefined,
  maxBytes: number,
): Promise<CapturedBody> {
  const wire = await collect(body, maxBytes);
  const kept = await decompress(wire, contentEncoding, maxBytes);
  return asText(kept);
}

/** All of a stream that fits. Leaving the loop destroys the stream, and with it the connection. */
async function collect(stream: Readable, maxBytes: number): Promise<Bytes> {
  const chunks: Buffer[] = [];
  let size = 0;
  let truncated = false;
  // Destroying a body part-way makes it report that, after nobody listens any more.
  stream.on('error', () => undefined);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const room = maxBytes - size;
      chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
      size += Math.min(chunk.length, room);
      if (chunk.length > room) {
        truncated = true;
        break;
      }
    }
  } catch {
    truncated = true;
  }
  const [only] = chunks;
  return { bytes: chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks), truncated };
}

/** A body may be in several codings, one upon another. More than this many are somebody's joke. */
const maxCodings = 4;

/** The body without its content codings; as it came, if one is unknown or the bytes are not in it. */
async function decompress(
  wire: Bytes,
  contentEncoding: string | undefined,
  maxBytes: number,
): Promise<Bytes> {
  const codings = (contentEncoding ?? '').toLowerCase().split(',', maxCodings + 1);
  if (codings.length > maxCodings) return wire;
  let plain = wire;
  // They are listed in the order they were applied (RFC 9110 section 8.4).
  for (const coding of codings.reverse()) {
    const decoder = decoderFor(coding.trim());
    if (decoder === 'unknown') return wire;
    if (decoder === 'identity' || plain.bytes.length === 0) continue;
    decoder.end(plain.bytes);
    const inner = await collect(decoder, maxBytes);
    if (inner.bytes.length === 0 && inner.truncated) return wire;
    plain = { bytes: inner.bytes, truncated: inner.truncated || plain.truncated };
  }
  return plain;
}

type Decoder = Readable & { end(bytes: Buffer): unknown };

function decoderFor(coding: string): Decoder | 'identity' | 'unknown' {
  switch (coding) {
    // The flush mode makes a decoder give out what it has when its input was cut.
    case 'gzip':
    case 'x-gzip':
      return createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
    case 'deflate':
      return createInflate({ finishFlush: constants.Z_SYNC_FLUSH });
    case 'br':
      return createBrotliDecompress({ finishFlush: constants.BROTLI_OPERATION_FLUSH });
    case '':
    case 'identity':
      return 'identity';
    default:
      return 'unknown';
  }
}

function asText({ bytes, truncated }: Bytes): CapturedBody {
  const whole = truncated ? withoutPartialCharacter(bytes) : bytes;
  try {
    // Keeping a byte order mark: the body is passed on, not interpreted.
    const body = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(whole);
    return { body, encoding: 'utf-8', truncated };
  } catch {
    return { body: bytes.toString('base64'), encoding: 'base64', truncated };
  }
}

/** A cut may fall inside a character; what is left of it (at most three bytes) goes too. */
function withoutPartialCharacter(bytes: Buffer): Buffer {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0b1100_0000) === 0b1000_0000) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? bytes.subarray(0, bytes.length - back) : bytes;
  }
  return bytes;
}
