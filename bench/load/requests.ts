import { mintMacaroon } from '#relay/macaroon/mint.js';

/** The root secret of the relays that are measured. */
export const secret = 'a secret for measurements only';

/** A macaroon such as an arbiter gives an app, for every destination of a receiver on this machine. */
export function mint(receiverPort: number, owner = ''): string {
  const minted = mintMacaroon({
    secret,
    identifier: owner,
    location: 'http://arbiter:8080',
    caveats: [
      'target = export-service',
      'path = *',
      'method = POST',
      `destination = http://127.0.0.1:${receiverPort}/*`,
      'time < 2100-01-01T00:00:00Z',
    ],
  });
  if (!minted.ok) throw new Error(minted.reason);
  return minted.token;
}

/** A JSON object of exactly `bytes` bytes, as an app exports it: readings with numbers, short texts and dates. */
export function payload(bytes: number): string {
  const reading = '{"at":"2026-01-31T12:00:00Z","room":"kitchen","celsius":21.5},';
  const head = '{"readings":[';
  const tail = '{"room":""}]}';
  const room = Math.max(0, bytes - head.length - tail.length);
  const readings = reading.repeat(Math.floor(room / reading.length));
  const padding = 'x'.repeat(room - readings.length);
  return `${head}${readings}{"room":"${padding}"}]}`;
}

interface Post {
  readonly path: string;
  readonly macaroon: string;
  readonly body: string;
  readonly headers?: readonly string[];
}

/** A request as the bytes on the wire, with the headers that an app's HTTP client sends. */
export function post({ path, macaroon, body, headers = [] }: Post): Buffer {
  const lines = [
    `POST ${path} HTTP/1.1`,
    'Host: export-service:8080',
    'Connection: keep-alive',
    'Accept: */*',
    'User-Agent: measuring-client/1.0',
    `X-Api-Key: ${macaroon}`,
    ...headers,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

/** The body of a submission in the form that the platform's clients send: `data` as a text. */
export function submission(uri: string, data: string): string {
  return JSON.stringify({ id: '', uri, data });
}

/** The body of a question about a job. The platform's clients send `uri` and `data` along. */
export function question(id: string): string {
  return JSON.stringify({ id, uri: '', data: '' });
}
