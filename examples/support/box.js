// What an app finds on a box: a relay, and a macaroon for it. Here it is `serve --dev`, started for one example.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** Starts a relay. `stop` ends it. */
export async function startBox() {
  const child = spawn(process.execPath, [program, 'serve', '--dev', '--port=0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  for await (const chunk of child.stdout) {
    printed += chunk;
    if (printed.includes('# submit')) break;
  }
  const [, url] = /^listening on (\S+)$/m.exec(printed) ?? [];
  const [, macaroon] = /^ {2}export KEY=(\S+)$/m.exec(printed) ?? [];
  if (url === undefined || macaroon === undefined) throw new Error('the relay did not start');
  return {
    url,
    macaroon,
    async stop() {
      child.kill();
      await once(child, 'close');
    },
  };
}

/** Starts a service that data can go to; `answer` gets each request's path, headers and body. */
export async function startService(answer) {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { status = 200, headers = {}, body: text = '' } = answer(request.url, request.headers, body);
    response.writeHead(status, headers).end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
