import { request } from 'undici';
import { eventually } from './eventually.js';
import { mintWith, type RelayUnderTest, startRelay } from './relay.js';
import { type Cleanup, startDestination } from './scripted_destination.js';
import { openSocket } from './sockets.js';

/** What must be found nowhere, by where it was put. */
export const markers = {
  payload: 'mark-payload-7f3a',
  path: 'mark-path-7f3a',
  query: 'mark-query-7f3a',
  header: 'mark-header-7f3a',
  headerName: 'x-mark-name-7f3a',
  idempotencyKey: 'mark-key-7f3a',
  purpose: 'mark-purpose-7f3a',
  response: 'mark-response-7f3a',
  responseHeader: 'mark-location-7f3a',
  caveat: 'mark-caveat-7f3a',
  malformed: 'mark-malformed-7f3a',
  route: 'mark-route-7f3a',
  ref: 'mark-ref-7f3a',
} as const;

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

export interface MixedLoad {
  readonly relay: RelayUnderTest;
  readonly macaroons: readonly string[];
}

/**
 * A relay at its most talkative, and one of everything that its log has a line for: exports that arrive, are answered
 * with every class of status, fail, are refused and are cancelled; requests that are wrong in every way; a WebSocket.
 */
export async function runMixedLoad(t: Cleanup): Promise<MixedLoad> {
  const lookup = (name: string): Promise<{ address: string; family: number }[]> =>
    Promise.resolve([{ address: name.startsWith('inside') ? '10.0.0.1' : '127.0.0.1', family: 4 }]);
  const relay = await startRelay(
    t,
    ['--log-level=trace', '--allow-http', '--allow-network=127.0.0.0/8', '--attempts=2'],
    { production: true, lookup, random: () => 0 },
  );
  const macaroon = mintWith({ identifier: 'the app', caveats: [`path = *`] });
  const narrow = mintWith({ caveats: [`destination = https://${markers.caveat}.example/`] });
  const odd = mintWith({ caveats: [`${markers.caveat} = 1`] });
  await exportEverything(t, relay, macaroon);
  await askWrongly(relay, macaroon, [narrow, odd]);
  await overSocket(t, relay, macaroon);
  await relay.service.metrics();
  return { relay, macaroons: [macaroon, narrow, odd] };
}

async function exportEverything(t: Cleanup, relay: RelayUnderTest, macaroon: string): Promise<void> {
  const destination = await startDestination(t, ({ path }, response) => {
    const status = Number(/status=(\d+)/.exec(path)?.[1] ?? 0);
    if (status === 0) return;
    response.writeHead(status, { 'location': markers.responseHeader, 'content-type': 'text/plain' });
    response.end(status === 204 ? '' : markers.response);
  });
  const origins = [
    ...[200, 204, 302, 404, 503, 700].map((status) => [destination.url, status] as const),
    [`http://inside.example`, 0] as const,
    ['https://127.0.0.1:' + String(destination.port), 0] as const,
    ['http://127.0.0.1:1', 0] as const,
  ];
  for (const [origin, status] of origins) {
    const { json } = await submit(
      relay,
      `${origin}/${markers.path}?${markers.query}&status=${status}`,
      macaroon,
    );
    await relay.finished(json.id, { macaroon });
  }
  const hanging = await submit(relay, `${destination.url}?${markers.query}`, macaroon);
  await destination.arrived(8);
  await relay.post('/export', { id: hanging.json.id, action: 'cancel' }, { macaroon });
}

function submit(relay: RelayUnderTest, uri: string, macaroon: string): ReturnType<RelayUnderTest['post']> {
  return relay.post(
    '/export',
    {
      id: '',
      uri,
      data: { secret: markers.payload },
      purpose: markers.purpose,
      headers: { authorization: `Bearer ${markers.header}`, [markers.headerName]: markers.header },
    },
    { macaroon, headers: { 'idempotency-key': markers.idempotencyKey, traceparent } },
  );
}

async function askWrongly(relay: RelayUnderTest, macaroon: string, others: readonly string[]): Promise<void> {
  await submit(relay, `http://169.254.1.1/${markers.path}`, macaroon);
  for (const other of others) await submit(relay, `http://example.com/${markers.path}`, other);
  await relay.post('/export?dry_run=1', { id: '', uri: 'http://inside.example/', data: {} }, { macaroon });
  await relay.post('/export', `{"id": "${markers.malformed}`, { macaroon });
  await relay.post('/export', { id: markers.malformed, uri: markers.malformed }, { macaroon });
  await relay.post(`/export?until=${markers.query}`, { id: '', data: markers.payload }, { macaroon });
  await relay.post('/export', {}, { macaroon: markers.malformed });
  await request(`${relay.url}/${markers.route}?${markers.query}`, { method: 'PUT' }).then(({ body }) =>
    body.dump(),
  );
}

async function overSocket(t: Cleanup, relay: RelayUnderTest, macaroon: string): Promise<void> {
  const socket = await openSocket(t, relay, { macaroon });
  const refused = { id: '', uri: `http://10.0.0.1/${markers.path}`, data: { secret: markers.payload } };
  socket.send({ ...refused, ref: markers.ref, idempotency_key: markers.idempotencyKey, traceparent });
  await socket.frame(({ ref }) => ref === markers.ref);
  socket.send(`{"${markers.malformed}`);
  socket.ws.close();
  await eventually(() => relay.logged('websocket').length === 1);
}
