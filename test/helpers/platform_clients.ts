import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { testCa } from './tls.js';

interface ClientCall {
  readonly url: string;
  readonly macaroon: string;
  readonly id: string;
  readonly uri: string;
  readonly data: string;
}

export type PlatformClient = (
  call: ClientCall,
) => Promise<{ readonly id: string; readonly state: string; readonly text: string }>;

/**
 * What the libraries of the platform put on the wire, header for header. All of them send uri and data with every
 * poll too.
 */
export const platformClients: Readonly<Record<'Node' | 'Go' | 'Python', PlatformClient>> = {
  Node: ({ url, macaroon, id, uri, data }) => {
    const body = JSON.stringify({ id, uri, data });
    return send(url, body, {
      'Content-Type': 'application/json',
      'X-Api-Key': macaroon,
      'Content-Length': String(Buffer.byteLength(body)),
    });
  },
  // The body is put together from strings, and every request has its own connection.
  Go: ({ url, macaroon, id, uri, data }) => {
    const escaped = data.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
    const body = '{"id":"' + id + '","uri":"' + uri + '","data":"' + escaped + '"}';
    return send(url, body, {
      'User-Agent': 'Go-http-client/1.1',
      'Connection': 'close',
      'Content-Type': 'application/json',
      'X-Api-Key': macaroon,
      'Accept-Encoding': 'gzip',
      'Content-Length': String(Buffer.byteLength(body)),
    });
  },
  // json.dumps: a space behind every colon and comma, and nothing but ASCII.
  Python: ({ url, macaroon, id, uri, data }) => {
    const dumped = [id, uri, data].map((text) => ascii(JSON.stringify(text)));
    const body = `{"id": ${dumped[0] ?? ''}, "uri": ${dumped[1] ?? ''}, "data": ${dumped[2] ?? ''}}`;
    return send(url, body, {
      'User-Agent': 'python-requests/2.18.4',
      'Accept-Encoding': 'gzip, deflate',
      'Accept': '*/*',
      'Connection': 'keep-alive',
      'X-Api-Key': macaroon,
      'Content-Type': 'application/json',
      'Content-Length': String(body.length),
    });
  },
};

function ascii(text: string): string {
  return text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function send(
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly id: string; readonly state: string; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', headers, agent: false, ca: testCa() } as const;
    const request = (url.startsWith('https:') ? httpsRequest : httpRequest)(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        if (response.statusCode !== 200) reject(new Error(`${String(response.statusCode)} ${text}`));
        else resolve({ ...(JSON.parse(text) as { id: string; state: string }), text });
      });
    });
    request.on('error', reject).end(body);
  });
}
