import type { Socket } from 'node:net';
import { errors } from 'undici';

/** Why a connection is given up although it stands: what came over it is not an answer that ends. */
export class UnusableAnswer extends Error {
  override readonly name = 'UnusableAnswer';
  readonly reason: 'switches_protocols' | 'endless';

  constructor(reason: UnusableAnswer['reason']) {
    super(`the destination's answer cannot be used: ${reason}`);
    this.reason = reason;
  }
}

/** The longest head of an interim response that is waited for: as much as the parser takes. */
const maxInterimHeadBytes = 16 * 1024;
const nothing = Buffer.alloc(0);

/**
 * Stands between the bytes of a connection and undici's parser, and settles what the parser would report as a broken
 * connection although the destination has spoken:
 *
 * - `100 Continue` that nobody asked for is skipped, as any client must be able to (RFC 9110 section 15.2.1);
 * - `101 Switching Protocols` that nobody asked for ends the connection as what it is, not HTTP any more;
 * - bytes that come while no request is out are nobody's answer, and must not become the next job's;
 * - an answer is bounded in bytes with everything around its body: interim responses, chunk extensions, trailers.
 *
 * So an error of the socket always means that the connection broke before the answer's head was whole.
 */
export class AnswerGate {
  readonly #socket: Socket;
  readonly #maxWireBytes: number;
  /** Before an answer's head is whole, behind it, or with no request out. */
  #state: 'head' | 'open' | 'resting' = 'head';
  #held: Buffer = nothing;
  #received = 0;
  #writtenBeforeRest = 0;

  constructor(socket: Socket, maxWireBytes: number) {
    this.#socket = socket;
    this.#maxWireBytes = maxWireBytes;
    const push = socket.push.bind(socket);
    socket.push = (chunk: unknown, encoding?: BufferEncoding) =>
      // What is not bytes is the end of the stream.
      push(Buffer.isBuffer(chunk) ? this.#admit(chunk) : chunk, encoding);
  }

  /** The request is done. Until another one is written, whatever comes is nobody's answer. */
  rest(): void {
    this.#state = 'resting';
    this.#writtenBeforeRest = this.#socket.bytesWritten;
  }

  /** What of these bytes the parser gets. */
  #admit(chunk: Buffer): Buffer {
    if (this.#state === 'resting') {
      // The one error after which undici sends a request that is already waiting over a new connection.
      if (this.#socket.bytesWritten === this.#writtenBeforeRest) {
        return this.#refuse(new errors.InformationalError('bytes that nobody asked for'));
      }
      this.#state = 'head';
      this.#received = 0;
    }
    this.#received += chunk.length;
    if (this.#received > this.#maxWireBytes) return this.#refuse(new UnusableAnswer('endless'));
    if (this.#state === 'open') return chunk;
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = nothing;
    return this.#withoutContinue(bytes);
  }

  /** Walks over the interim responses that stand before the answer. */
  #withoutContinue(bytes: Buffer): Buffer {
    const kept: Buffer[] = [];
    let rest = bytes;
    for (let head = interimHead(rest); head !== 'none'; head = interimHead(rest)) {
      if (head === 'incomplete') {
        this.#held = rest;
        return Buffer.concat(kept);
      }
      if (head.status === 101) return this.#refuse(new UnusableAnswer('switches_protocols'));
      if (head.status !== 100) kept.push(rest.subarray(0, head.bytes));
      rest = rest.subarray(head.bytes);
    }
    this.#state = 'open';
    return kept.length === 0 ? rest : Buffer.concat([...kept, rest]);
  }

  #refuse(error: Error): Buffer {
    this.#socket.destroy(error);
    return nothing;
  }
}

type InterimHead = 'none' | 'incomplete' | { readonly status: number; readonly bytes: number };

const interimStart = 'HTTP/1.x 1';

/** Whether the bytes begin with a whole interim response; what is malformed is left for the parser to refuse. */
function interimHead(bytes: Buffer): InterimHead {
  const start = bytes.toString('latin1', 0, interimStart.length).replace(/^(HTTP\/1\.)\d/, '$1x');
  if (!interimStart.startsWith(start)) return 'none';
  const text = bytes.toString('latin1', 0, maxInterimHeadBytes);
  const end = text.indexOf('\r\n\r\n');
  const head = end === -1 ? text : text.slice(0, end);
  // A line feed alone may end a head for the server and not for us: what follows it could be the answer.
  if (/(?<!\r)\n/.test(head)) return 'none';
  if (end === -1) return text.length < maxInterimHeadBytes ? 'incomplete' : 'none';
  const status = /^HTTP\/1\.\d (1\d\d)(?: |\r\n|$)/.exec(head)?.[1];
  return status === undefined ? 'none' : { status: Number(status), bytes: end + '\r\n\r\n'.length };
}
