import test from 'ava';
import { type HeadersInput, requestHeaders, type SenderHeaders } from '#relay/delivery/headers.js';

function headers(changes: Partial<HeadersInput & SenderHeaders> = {}): string[] {
  const input = { headers: [], data: '{}', idempotencyKey: 'the-job', nowMs: 1_614_265_330_999, ...changes };
  return requestHeaders(input, { userAgent: 'export-relay/1', signingKeys: [], ...changes });
}

test('a delivery says what it carries, who sends it, and which job it is', (t) => {
  t.deepEqual(headers(), [
    'content-type',
    'application/json',
    'user-agent',
    'export-relay/1',
    'idempotency-key',
    'the-job',
  ]);
});

test('an app’s type and agent go in place of the relay’s, however they are spelt', (t) => {
  const custom = [
    ['Content-Type', 'application/cloudevents+json'],
    ['USER-AGENT', 'an app'],
    ['X-More', ''],
  ] as const;
  t.deepEqual(headers({ headers: custom }), [...custom.flat(), 'idempotency-key', 'the-job']);
});

test('an attempt in a trace says so, unless the app says something else', (t) => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  t.deepEqual(headers({ traceparent }).slice(4, 6), ['traceparent', traceparent]);
  const own = headers({ traceparent, headers: [['TraceParent', 'its own']] });
  t.deepEqual(own.slice(4), ['TraceParent', 'its own', 'idempotency-key', 'the-job']);
});

test('a name that means something to JavaScript is a name like any other', (t) => {
  t.deepEqual(headers({ headers: [['__proto__', 'x']] }).slice(4, 6), ['__proto__', 'x']);
});

test('a signed delivery carries the job’s id and the whole second of the attempt', (t) => {
  const signed = headers({ signingKeys: [Buffer.alloc(24)] });
  t.is(signed[signed.indexOf('webhook-id') + 1], 'the-job');
  t.is(signed[signed.indexOf('webhook-timestamp') + 1], '1614265330');
  t.regex(signed[signed.indexOf('webhook-signature') + 1] ?? '', /^v1,[A-Za-z0-9+/]{43}=$/);
});
