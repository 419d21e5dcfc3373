import test from 'ava';
import { startRelay } from '../helpers/relay.js';
import { startDestination } from '../helpers/scripted_destination.js';
import { openSocket } from '../helpers/sockets.js';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;

test('a trace goes from the submission through every line to each attempt, which is a span of its own', async (t) => {
  const destination = await startDestination(t, (_arrival, response) => {
    response.writeHead(destination.arrivals.length === 1 ? 503 : 200).end();
  });
  const relay = await startRelay(t, ['--attempts=2'], { random: () => 0 });
  const { json } = await relay.submit(destination.url, '{}', { headers: { traceparent } });
  await relay.finished(json.id);
  const sent = destination.arrivals.map(({ headers }) => headers['traceparent']);
  t.deepEqual(
    sent,
    relay.logged('attempt').map(({ span_id: span }) => `00-${traceId}-${String(span)}-01`),
  );
  t.is(new Set([traceparent, ...sent]).size, 3);
  for (const kind of ['request', 'attempt', 'job'] as const) {
    const lines = relay.logged(kind);
    t.is(lines.length, kind === 'job' ? 1 : 2);
    for (const line of lines) t.like(line, { trace_id: traceId, job_id: json.id });
  }
});

test('a submission without a trace, or with one that cannot be read, is delivered without', async (t) => {
  const destination = await startDestination(t);
  const relay = await startRelay(t);
  for (const headers of [{}, { traceparent: '00-0-0-0' }, { traceparent: [traceparent, traceparent] }]) {
    const { json } = await relay.submit(destination.url, '{}', { headers });
    await relay.finished(json.id);
  }
  t.deepEqual(
    destination.arrivals.map(({ headers }) => headers['traceparent']),
    [undefined, undefined, undefined],
  );
  t.notRegex(relay.log, /trace_id|span_id/);
});

test('an app that traces its exports itself is left to it', async (t) => {
  const destination = await startDestination(t);
  const relay = await startRelay(t);
  const own = traceparent.replace('00f', '11f');
  const body = { id: '', uri: destination.url, data: '{}', headers: { Traceparent: own } };
  const { json } = await relay.post('/export', body, { headers: { traceparent } });
  await relay.finished(json.id);
  t.is(destination.arrivals[0]?.headers['traceparent'], own);
});

test('over the WebSocket the trace is a field of the frame', async (t) => {
  const destination = await startDestination(t);
  const relay = await startRelay(t);
  const socket = await openSocket(t, relay);
  const { id } = await socket.ask({ id: '', uri: destination.url, data: '{}', traceparent });
  await relay.finished(id);
  t.true(destination.arrivals[0]?.headers['traceparent']?.toString().startsWith(`00-${traceId}-`));
});
