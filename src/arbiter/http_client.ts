import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { type FetchOutcome, garbage, secretFromAnswer } from './outcome.js';

export interface HttpFetch {
  /** `http(s)://host:port`, as {@link parseArbiterEndpoint} gives it: nothing after it but a path, no final slash. */
  readonly url: string;
  /** Value of `X-Api-Key`: see {@link apiKeyFromToken}. */
  readonly apiKey: string;
  /** PEM of the only authority to trust; without it, the ones that Node trusts. */
  readonly rootCa: string | undefined;
  /** Connecting, TLS handshake and the whole answer together. */
  readonly timeoutMs: number;
}

/** The secret fits many times over; what is longer is a page of some other server. */
const maxAnswerBytes = 4096;
const maxHeaderBytes = 16_384;

/**
 * The key that the arbiter knows the service by: the token file's text, or its base64 where it is not printable.
 * A line break at the end of a text is an editor's, and no header could carry it; undefined where nothing is left.
 */
export function apiKeyFromToken(token: Uint8Array): string | undefined {
  const text = Buffer.from(token).toString('latin1');
  const printable = /^([\x20-\x7e]*)\r?\n?$/.exec(text)?.[1];
  const key = printable ?? Buffer.from(token).toString('base64');
  return key.trim() === '' ? undefined : key;
}

/**
 * Asks once for the secret. Asking again gives the same one.
 *
 * By Node's own client with an agent of its own: it closes a connection at once wherever it is, a hanging TLS
 * handshake included, follows no redirect, and leaves proxy variables alone.
 */
export function fetchSecretOverHttp(fetch: HttpFetch, signal: AbortSignal): Promise<FetchOutcome> {
  return new Promise((resolve) => {
    const request = send(fetch, signal);
    let sent = false;
    let closed = false;
    let outcome: FetchOutcome | undefined;
    /** Resolves when nothing is left of the connection, which may close before the answer has been read. */
    const settle = (): void => {
      if (closed && outcome !== undefined) resolve(outcome);
    };
    const end = (how: FetchOutcome): void => {
      clearTimeout(deadline);
      outcome ??= how;
      request.destroy();
      settle();
    };
    const fail = (problem: string): void =>
      end(sent ? unanswered(problem) : { reason: 'unreachable', detail: problem });
    const deadline = setTimeout(
      () => fail(sent ? 'no answer within the deadline' : 'no connection within the deadline'),
      fetch.timeoutMs,
    );
    const onError = (error: Error): void => {
      const code = codeOf(error);
      if (code.startsWith('HPE_')) end(garbage(`an answer that is not HTTP (${code})`));
      else fail(sent ? `the connection broke (${code})` : describe(code));
    };
    request.on('finish', () => (sent = true));
    request.on('error', onError);
    request.on('close', () => {
      closed = true;
      settle();
    });
    request.on('response', (response) => {
      response.on('error', onError);
      readAnswer(response, end);
    });
    request.end();
  });
}

function send({ url, apiKey, rootCa }: HttpFetch, signal: AbortSignal): ClientRequest {
  const options = {
    agent: false,
    headers: { 'x-api-key': apiKey },
    maxHeaderSize: maxHeaderBytes,
    signal,
  } as const;
  const address = `${url}/store/secret`;
  if (!url.startsWith('https:')) return requestHttp(address, options);
  // Said aloud, because the environment can turn verification off for everything that does not.
  const trust = { rejectUnauthorized: true, minVersion: 'TLSv1.2' } as const;
  return requestHttps(address, { ...options, ...trust, ...(rootCa === undefined ? {} : { ca: rootCa }) });
}

/** Judges the answer's status, and reads the secret only where the status promises one. */
function readAnswer(response: IncomingMessage, end: (outcome: FetchOutcome) => void): void {
  const { statusCode = 0, headers } = response;
  const refusal = refusalOf(statusCode);
  if (refusal !== undefined) {
    end(refusal);
    return;
  }
  if (headers['content-encoding'] !== undefined) {
    end(garbage('an answer with a content-encoding'));
    return;
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  response.on('data', (chunk: Uint8Array) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length > maxAnswerBytes) end(garbage(`an answer of more than ${maxAnswerBytes} bytes`));
  });
  response.on('end', () => end(secretFromAnswer(Buffer.concat(chunks))));
}

function refusalOf(status: number): FetchOutcome | undefined {
  if (status === 200) return undefined;
  if (status === 401) {
    const detail = '401: the platform has not registered this service with this token yet';
    return { reason: 'not_registered', detail };
  }
  if (status === 403 || status === 500) {
    return { reason: 'refused', detail: `${status}: the arbiter or this service's token is misconfigured` };
  }
  if (status >= 300 && status < 400) {
    return { reason: 'refused', detail: `${status}: a redirect, which is not followed` };
  }
  return { reason: 'refused', detail: `the status ${status}` };
}

/** Harmless here: a late answer changes nothing, because asking again gives the same secret. */
function unanswered(detail: string): FetchOutcome {
  return { reason: 'no_answer', detail, mayRotateLater: false };
}

function describe(code: string): string {
  if (!/CERT|ISSUER|SIGNATURE|ALTNAME/.test(code)) return code;
  return `${code}: its TLS certificate is not one that DATABOX_ROOT_CA vouches for under this host name`;
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
