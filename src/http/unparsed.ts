import { randomUUID } from 'node:crypto';
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Failure } from '../failure.js';
import type { RequestReport } from './app.js';
import { type Problem, problemOf } from './problem.js';

/** What went wrong with what a client sent, where Node's parser saw it and no request came of it. */
function parserFailure(error: NodeJS.ErrnoException): Failure | undefined {
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    return { code: 'headers_too_large', detail: 'Request line and headers together are too large.' };
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return { code: 'request_timeout', detail: 'The request did not arrive whole in time.' };
  }
  // What else there is, a broken connection or a failed handshake, is nothing that could be answered.
  if (error.code?.startsWith('HPE_') !== true) return undefined;
  return { code: 'malformed_request', detail: `What came is not HTTP/1.1: ${reasonOf(error)}.` };
}

/** The parser's own words; nothing of what the client sent is among them. */
function reasonOf(error: Error): string {
  const reason = 'reason' in error && typeof error.reason === 'string' ? error.reason : '';
  return reason === '' ? 'the parser cannot read it' : reason;
}

/**
 * Answers on a connection whose request could not be parsed, and closes it. `current` is the connection's last
 * request that has no whole answer yet: to write into that one's place would answer the wrong request.
 */
export function answerUnparsed(
  error: NodeJS.ErrnoException,
  socket: Socket,
  current: ServerResponse | undefined,
): RequestReport | undefined {
  // The parser fails anew with everything that still comes after the answer.
  if (socket.writableEnded) return undefined;
  const failure = parserFailure(error);
  if (failure === undefined || !socket.writable || !mayAnswer(current)) {
    socket.destroy();
    return undefined;
  }
  const requestId = randomUUID();
  const problem = problemOf(failure, requestId);
  socket.write(textOf(problem));
  socket.destroySoon();
  const { status, level } = problem;
  return {
    requestId,
    method: '',
    route: 'unparsed',
    status,
    durationMs: 0,
    level,
    failure,
    job: undefined,
    subject: {},
  };
}

/** Only while the broken request is the one being answered: it is not whole, it is its turn, and nothing is written. */
function mayAnswer(current: ServerResponse | undefined): boolean {
  return current === undefined || (!current.req.complete && current.socket !== null && !current.headersSent);
}

/** The answer byte for byte, as no response object exists. */
function textOf({ status, document, headers }: Problem): string {
  const body = JSON.stringify(document);
  const lines = Object.entries({
    ...headers,
    'Content-Type': 'application/problem+json; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'Date': new Date().toUTCString(),
    'Connection': 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`;
}
