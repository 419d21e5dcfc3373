// An app with a web page that follows one export: node examples/browser/server.js, then open the address it prints.
// The app itself holds the macaroon; what it hands to the page is narrowed, offline, to polling that one job.
import { readFile } from 'node:fs/promises';
import { createServer, request as forward } from 'node:http';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { ExportClient, attenuate } from 'export-relay/client';
import { startBox } from '../support/box.js';

const box = await startBox();
const client = new ExportClient(box);
const types = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8' };

// Somewhere to export to: it takes a second, so that there is something to follow.
const destination = createServer(async (_request, response) => {
  await delay(1000);
  response.end('thank you');
});
destination.listen(0, '127.0.0.1');
await once(destination, 'listening');

const server = createServer(async (request, response) => {
  const { pathname, search } = new URL(request.url, 'http://app');
  if (pathname === '/job') {
    const job = await client.submit(`http://127.0.0.1:${destination.address().port}/`, { from: 'a page' });
    const macaroon = await attenuate(box.macaroon, [`job = ${job.id}`, 'action = poll']);
    response.end(JSON.stringify({ id: job.id, macaroon }));
  } else if (pathname === '/relay/export' || pathname === '/relay/lp/export') {
    // The relay is inside the box, so the page reaches it through the app.
    const { 'x-api-key': key = '', 'if-none-match': known } = request.headers;
    const headers = { 'x-api-key': key, ...(known === undefined ? {} : { 'if-none-match': known }) };
    const onwards = forward(`${box.url}${pathname.slice('/relay'.length)}${search}`, {
      method: request.method,
      headers,
    });
    onwards.on('response', (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onwards.on('error', () => response.writeHead(502).end());
    response.on('close', () => onwards.destroy());
    request.pipe(onwards);
  } else {
    await serveFile(pathname === '/' ? '/page.html' : pathname, response);
  }
});

/** The page's own files, and those of the client library. */
async function serveFile(path, response) {
  const [, inClient, name] = /^\/(client\/)?([\w-]+\.(?:html|js))$/.exec(path) ?? [];
  const folder = inClient === undefined ? '.' : '../../dist/client';
  try {
    const content = await readFile(new URL(`${folder}/${name}`, import.meta.url));
    response.setHeader('content-type', types[name.split('.').at(-1)]).end(content);
  } catch {
    response.writeHead(404).end();
  }
}

server.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
await once(server, 'listening');
console.log(`open http://127.0.0.1:${server.address().port}/`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await box.stop();
    process.exit();
  });
}
