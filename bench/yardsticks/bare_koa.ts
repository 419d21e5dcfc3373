import Koa from 'koa';
import { textOf } from './text_of.js';

/**
 * The least that a Koa application can do for a request like the relay's: it reads the body, parses it, and answers
 * the bytes it was given, with the same headers as the relay. It looks at no macaroon and keeps nothing.
 */
const [answer = '', etag = ''] = process.argv.slice(2);

const app = new Koa();
app.use(async (ctx) => {
  const body: unknown = JSON.parse(await textOf(ctx.req));
  if (typeof body !== 'object' || body === null) {
    ctx.status = 400;
    return;
  }
  ctx.status = 200;
  ctx.set({
    'Content-Type': 'application/json; charset=utf-8',
    'ETag': etag,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  ctx.body = answer;
});

const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(
    `listening on ${typeof address === 'object' && address !== null ? address.port : ''}\n`,
  );
});
process.on('SIGTERM', () => process.exit());
