import type { IncomingMessage, ServerResponse } from 'node:http';
import { ByteList } from '../byte_list.js';
import { type Result, failed, success } from '../failure.js';
import type { IncomingBodies } from './incoming.js';

/** Requests that asked `Expect: 100-continue`: they are told to go on only when their body is wanted. */
export const awaitingContinue = new WeakSet<IncomingMessage>();

/** Keeps a byte order mark, which is then refused as JSON: nothing in a body is dropped silently. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export interface BodyBounds {
  /** Of this body. */
  readonly maxBytes: number;
  /** Of all bodies together. */
  readonly incoming: IncomingBodies;
}

/**
 * Reads a request body of at most `maxBytes` as UTF-8 text. The media type itself is ignored, as clients of the
 * platform send various ones; an encoding that would have to be undone is refused.
 */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  { maxBytes, incoming }: BodyBounds,
): Promise<Result<string>> {
  const encodingProblem = unsupportedEncoding(request);
  if (encodingProblem !== undefined) {
    return failed({ code: 'unsupported_media_type', detail: encodingProblem });
  }
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > maxBytes) return tooLarge(maxBytes);
  if (awaitingContinue.has(request)) response.writeContinue();
  const bytes = await collect(request, maxBytes, incoming);
  if (bytes === 'aborted') return failed({ code: 'malformed_json', detail: 'The body broke off.' });
  if (bytes === 'too_large') return tooLarge(maxBytes);
  if (bytes === 'given_up') return tooSlowNow;
  try {
    return success(utf8.decode(bytes));
  } catch {
    return failed({ code: 'malformed_json', detail: 'The body is not valid UTF-8.' });
  }
}

const tooSlowNow = failed({
  code: 'queue_full',
  retryAfterSeconds: 1,
  detail: 'The relay receives as much data as it may, and this body was the longest on its way.',
});

function tooLarge(maxBytes: number): Result<string> {
  return failed({ code: 'body_too_large', detail: `The body must not be larger than ${maxBytes} bytes.` });
}

function unsupportedEncoding({ headers }: IncomingMessage): string | undefined {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') {
    return 'The body must not be compressed: no content-encoding but identity is read.';
  }
  const charset = /;\s*charset\s*=\s*"?([^\s";]*)/i.exec(headers['content-type'] ?? '')?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) return 'The body must be UTF-8.';
  return undefined;
}

/**
 * A body that breaks off reports an error and then closes; the close is what counts. Out here, because a function in
 * there would keep the body for as long as the request, which may be a long poll.
 */
const ignore = (): void => undefined;

type Collected = Buffer | 'too_large' | 'aborted' | 'given_up';

/** The whole body, or why there is none. Events rather than an iterator: one body is one or two chunks. */
function collect(request: IncomingMessage, maxBytes: number, incoming: IncomingBodies): Promise<Collected> {
  return new Promise((resolve) => {
    const body = new ByteList();
    const stop = (result: Collected): void => {
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      incoming.forget(giveUp);
      resolve(result);
    };
    const giveUp = (): void => stop('given_up');
    const onData = (chunk: Buffer): void => {
      if (body.size + chunk.length > maxBytes) {
        stop('too_large');
        return;
      }
      body.add(chunk);
      incoming.note(giveUp, body.heldBytes);
    };
    const onEnd = (): void => stop(body.bytes);
    const onClose = (): void => stop('aborted');
    request.on('data', onData).on('end', onEnd).on('close', onClose);
    request.on('error', ignore);
  });
}
