import { parseExportRequest } from '#relay/http/export_request.js';
import { memberText } from '#relay/http/json_members.js';
import { parsePollOptions } from '#relay/http/poll_options.js';
import { parseRequestOptions } from '#relay/http/request_options.js';
import { mint } from '../helpers/relay.js';
import type { Cleanup } from '../helpers/scripted_destination.js';
import { answerTo, checkOf, startPatientRelay } from './hostile_client.js';
import { attempted, corpusFiles, must, type Run, type Target } from './target.js';

const maxWaitMs = 55_000;
const maxHeaders = 32;

/** An input: its first lines are path and headers, what stands behind an empty line is the body. */
interface Parts {
  readonly path: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

function partsOf(input: Buffer): Parts {
  const end = input.indexOf('\n\n');
  const lines = input.toString('latin1', 0, end === -1 ? input.length : end).split('\n');
  const [path = '', ...headers] = lines;
  return { path, headers, body: end === -1 ? Buffer.alloc(0) : input.subarray(end + 2) };
}

function valueOf(headers: readonly string[], name: string): string | undefined {
  return headers.find((line) => line.toLowerCase().startsWith(`${name}:`))?.slice(name.length + 1);
}

function judgeOptions({ path, headers }: Parts): void {
  const query = new URLSearchParams(path.split('?')[1]);
  const [prefer, ifNoneMatch] = [valueOf(headers, 'prefer'), valueOf(headers, 'if-none-match')];
  const poll = parsePollOptions(query, { prefer, ifNoneMatch }, maxWaitMs);
  if (poll.ok) {
    const { waitMs, knownVersion = 0 } = poll.value;
    must(waitMs >= 0 && waitMs <= maxWaitMs, 'a wait beyond its bounds');
    must(Number.isSafeInteger(knownVersion) && knownVersion >= 0, 'a version that is none');
  }
  const key = valueOf(headers, 'idempotency-key');
  const options = parseRequestOptions(query, key === undefined ? undefined : [key]);
  must(!options.ok || (options.value.idempotencyKey ?? '').length <= 255, 'a key beyond its bound');
}

/** As `JSON.stringify` would write it; `undefined` where it is nested too deeply for that. */
function written(value: unknown): string | undefined {
  return attempted(() => JSON.stringify(value));
}

/** Each member is cut out of the text as what JSON.parse reads there. */
function judgeMembers(text: string, value: object): void {
  for (const [name, member] of Object.entries(value).slice(0, 50)) {
    const cut = memberText(text, name);
    must(cut !== undefined && text.includes(cut), 'a member is not found');
    must(written(JSON.parse(cut)) === written(member), 'another member is found');
  }
}

function judgeBody(text: string): void {
  const parsed = parseExportRequest(text);
  const json = attempted((): unknown => JSON.parse(text));
  const code = parsed.ok ? '' : parsed.failure.code;
  must((code === 'malformed_json') === (json === undefined), 'JSON is misjudged');
  must(parsed.ok || code === 'malformed_json' || code === 'invalid_request', 'refused for another reason');
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) judgeMembers(text, json);
  if (!parsed.ok || parsed.value.action !== 'submit') return;
  const { data, dataBytes, headers, purpose = '' } = parsed.value;
  const sent = typeof json === 'object' && json !== null && 'data' in json ? json.data : undefined;
  const content: unknown = JSON.parse(data);
  must(typeof content === 'object' && content !== null, 'data is no object and no array');
  must(
    typeof sent === 'string' ? data === sent : written(content) === written(sent),
    'other data is delivered',
  );
  must(Buffer.byteLength(data) === dataBytes && data.isWellFormed(), 'data of another length');
  must(
    headers.length <= maxHeaders && Array.from(purpose).length <= 200,
    'headers or a purpose beyond their bounds',
  );
  must(
    !/[\r\n\0]/.test(purpose + JSON.stringify(headers.flat())),
    'a line break in what is sent or recorded',
  );
}

const statuses = [100, 200, 204, 400, 401, 403, 404, 405, 408, 413, 415, 422, 426, 429, 431, 503];
const unavailable = /"code":"(queue_full|too_many_waiters|no_secret|shutting_down|storage_unavailable)"/;

function requestOf({ path, headers, body }: Parts, macaroon: string): Buffer {
  const own = [`X-Api-Key: ${macaroon}`, 'Host: relay', `Content-Length: ${body.length}`];
  const head = [`POST ${path} HTTP/1.1`, ...own, ...headers, '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}

function judgeAnswer(answer: string): void {
  for (const [, status] of answer.matchAll(/^HTTP\/1\.1 (\d+) /gm)) {
    must(statuses.includes(Number(status)), `the relay answers ${status}`);
    must(status !== '503' || unavailable.test(answer), '503 without a documented reason');
  }
}

async function open(t: Cleanup): Promise<Run> {
  const relay = await startPatientRelay(t);
  const check = checkOf(relay);
  const macaroon = mint();
  return async (input) => {
    const parts = partsOf(input);
    judgeOptions(parts);
    judgeBody(parts.body.toString());
    judgeAnswer(await answerTo(relay.port, requestOf(parts, macaroon)));
    await check();
  };
}

/** The body of a request, and what stands beside it in query and headers; both to the parsers and to a whole relay. */
export const body: Target = {
  name: 'body',
  maxBytes: 400_000,
  dictionary: [
    ...[
      '"id":',
      '"uri":',
      '"data":',
      '"headers":',
      '"purpose":',
      '"action":"cancel"',
      '"__proto__":',
      '"d\\u0061ta":',
    ],
    ...[
      '{}',
      '[]',
      'null',
      'true',
      '-0',
      '1e400',
      '0.1e-7',
      '""',
      '"\\ud800"',
      '"\\u0000"',
      '\\\\"',
      '\u2028',
      '\ufeff',
    ],
    ...[
      '"constructor":',
      '"toJSON":',
      '"x-a":"1"',
      '"host":"x"',
      '"x-a":"\\r\\nb: c"',
      '\n\n',
      '\n',
      '\r',
      ',',
      ':',
    ],
    ...[
      '?timeout=',
      '?until=Finished',
      '&dry_run=1',
      '&events=true',
      '&timeout=1e999',
      '&timeout=-1',
      '%zz',
      '+',
    ],
    ...[
      '\nPrefer: wait=',
      '\nIf-None-Match: "1"',
      '\nIf-None-Match: W/"999999999999999"',
      '\nIdempotency-Key: k',
    ],
    ...[
      '\nTransfer-Encoding: chunked',
      '\nContent-Encoding: gzip',
      '\nContent-Type: text/plain; charset=latin1',
    ],
    ...[
      '\nExpect: 100-continue',
      '\nConnection: close',
      '\nUpgrade: websocket',
      '\nTraceparent: 00-',
      '/lp/export',
    ],
  ],
  corpus: () => corpusFiles('body', '.txt'),
  open,
};
