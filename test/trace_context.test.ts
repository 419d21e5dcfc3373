import test from 'ava';
import { childTraceparent, parseTraceparent, spanIdOf, traceIdOf } from '#relay/trace_context.js';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const valid = `00-${traceId}-00f067aa0ba902b7-01`;

test('a traceparent keeps its trace and flags, and gets the span of the attempt', (t) => {
  const traceparent = parseTraceparent(valid);
  if (traceparent === undefined) throw new Error('it was ignored');
  t.is(traceIdOf(traceparent), traceId);
  const spanId = spanIdOf('the job', 1);
  t.is(childTraceparent(traceparent, spanId), `00-${traceId}-${spanId}-01`);
  t.truthy(parseTraceparent(childTraceparent(traceparent, spanId)));
});

test('each attempt of each job is a span of its own', (t) => {
  const spans = new Set(['a', 'b'].flatMap((job) => [1, 2, 3].map((attempt) => spanIdOf(job, attempt))));
  t.is(spans.size, 6);
  for (const span of spans) t.regex(span, /^[0-9a-f]{16}$/);
});

for (const [why, text] of [
  ['upper case', valid.toUpperCase()],
  ['a version whose form we do not know', `01${valid.slice(2)}`],
  ['the version that is forbidden', `ff${valid.slice(2)}`],
  ['no trace id', valid.replace(traceId, '0'.repeat(32))],
  ['no span id', valid.replace('00f067aa0ba902b7', '0'.repeat(16))],
  ['something behind the flags', `${valid}-x`],
  ['a line break behind them', `${valid}\n`],
  ['too short a trace id', valid.replace(traceId, traceId.slice(1))],
  ['what is not hexadecimal', valid.replace('4bf', '4bg')],
  ['two headers, joined', `${valid}, ${valid}`],
  ['nothing', ''],
  ['no text', 1],
] as const) {
  test(`a traceparent with ${why} is ignored`, (t) => {
    t.is(parseTraceparent(text), undefined);
  });
}
