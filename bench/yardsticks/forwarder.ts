import Koa from 'koa';
import { Pool } from 'undici';
import { textOf } from './text_of.js';

/**
 * The least that a relay made of Koa and undici can do: it parses each body, POSTs its `data` to its `uri`, and answers
 * at once. It looks at no macaroon, bounds nothing, keeps nothing and logs nothing. No relay of these parts, in one
 * process, can be faster.
 */
const [connections = '1'] = process.argv.slice(2);
const pools = new Map<string, Pool>();

interface Submission {
  readonly uri: string;
  readonly data: string;
}

async function forward({ uri, data }: Submission): Promise<void> {
  const { origin, pathname } = new URL(uri);
  let pool = pools.get(origin);
  if (pool === undefined) {
    pool = new Pool(origin, { connections: Number(connections), pipelining: 1 });
    pools.set(origin, pool);
  }
  const headers = { 'content-type': 'application/json' };
  const { body } = await pool.request({ path: pathname, method: 'POST', headers, body: data });
  await body.text();
}

const app = new Koa();
app.use(async (ctx) => {
  void forward(JSON.parse(await textOf(ctx.req)) as Submission);
  ctx.set('Content-Type', 'application/json; charset=utf-8');
  ctx.body = '{"id":"","state":"Pending","ext_response":{}}';
});

const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(
    `listening on ${typeof address === 'object' && address !== null ? address.port : ''}\n`,
  );
});
process.on('SIGTERM', () => process.exit());
