import test from 'ava';
import fc from 'fast-check';
import { parseDestination } from '#relay/egress/destination.js';
import type { Job } from '#relay/job/job.js';
import { currentSchema, decodeRecord, encodeRecord, type Ordered } from '#relay/journal/record.js';
import { parseTraceparent } from '#relay/trace_context.js';
import { destination } from '../helpers/jobs.js';
import { begun, ended, jobId, pending } from '../helpers/stored_jobs.js';

function decode(record: string, { job }: Ordered): ReturnType<typeof decodeRecord> {
  const source = { id: job.id, version: currentSchema.version, record, data: job.data };
  return decodeRecord(source, currentSchema, parseDestination);
}

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const text = fc.string({ unit: 'binary' });
const count = fc.nat();
const time = fc.integer({ min: 0, max: 4e12 });
const optionalTime = fc.option(time, { nil: undefined });
const uris = fc.constantFrom(
  'https://a.example/x?y=1',
  'http://127.0.0.1:8080/',
  'https://[::1]/',
  'HTTPS://B.example',
);

const results = fc.oneof(
  fc.record({
    kind: fc.constant('answered' as const),
    answer: fc.record({
      statusCode: count,
      headers: fc.dictionary(fc.constantFrom('content-type', 'location', 'retry-after', '__proto__'), text),
      body: text,
      encoding: fc.constantFrom('utf-8' as const, 'base64' as const),
      truncated: fc.boolean(),
    }),
  }),
  fc.record({
    kind: fc.constant('gave_up' as const),
    error: fc.record({
      code: fc.constantFrom('timeout' as const, 'expired' as const, 'interrupted' as const),
      message: text,
    }),
  }),
);

const jobs: fc.Arbitrary<Job> = fc
  .record({
    id: fc.uuid({ version: 4 }).map(jobId),
    owner: text,
    destination: uris.map(destination),
    data: text,
    headers: fc.array(fc.tuple(text, text)),
    purpose: fc.option(text, { nil: undefined }),
    idempotency: fc.option(fc.record({ key: text, dataDigest: text }), { nil: undefined }),
    traceparent: fc.constantFrom(undefined, parseTraceparent(traceparent)),
    expiresAtMs: optionalTime,
    state: fc.constantFrom('Pending' as const, 'Processing' as const, 'Finished' as const),
    version: count,
    attempts: count,
    attemptRecords: fc.array(
      fc.record({
        begunAtMs: time,
        endedAtMs: optionalTime,
        result: fc.constantFrom(undefined, 200, 'timeout' as const),
        retryInMs: optionalTime,
      }),
    ),
    createdAtMs: time,
    updatedAtMs: time,
    result: results,
  })
  .map(({ result, ...job }) => {
    const dataBytes = Buffer.byteLength(job.data);
    return job.state === 'Finished' ? { ...job, data: '', dataBytes, result } : { ...job, dataBytes };
  });

test('what is read is what was written', (t) => {
  fc.assert(
    fc.property(jobs, count, (job, order) => {
      const stored = { job, order };
      const decoded = decode(encodeRecord(stored), stored);
      t.deepEqual(decoded, { ok: true, stored });
    }),
    { numRuns: 300 },
  );
});

const stored: Ordered = { job: ended(begun(pending())), order: 7 };
const record = JSON.parse(encodeRecord(stored)) as Record<string, unknown>;

for (const member of Object.keys(record)) {
  for (const value of [undefined, null, {}, [], -1, 0.5, 'x', '', true]) {
    const fits = member === 'owner' && typeof value === 'string';
    const isTime = member.endsWith('AtMs') && typeof value === 'number';
    const isList = Array.isArray(value) && Array.isArray(record[member]);
    if (fits || isTime || isList || value === record[member]) continue;
    test(`a record whose ${member} is ${JSON.stringify(value)} is refused`, (t) => {
      const decoded = decode(JSON.stringify({ ...record, [member]: value }), stored);
      if (decoded.ok) throw new Error('it was read');
      t.false(decoded.newer);
      t.true(decoded.reason.startsWith(`record.${member}`), decoded.reason);
    });
  }
}

test('a record with a member that this release does not know is taken for a newer one', (t) => {
  for (const newer of [
    { ...record, colour: 'red' },
    { ...record, result: { kind: 'gave_up', error: { code: 'timeout', message: '', retried: true } } },
  ]) {
    const decoded = decode(JSON.stringify(newer), stored);
    if (decoded.ok) throw new Error('it was read');
    t.true(decoded.newer, decoded.reason);
    t.regex(decoded.reason, /unknown to this version$/);
  }
});

const unreadable: readonly { readonly what: string; readonly text: string; readonly reason: RegExp }[] = [
  { what: 'no JSON', text: '{"order":', reason: /^record is not JSON$/ },
  { what: 'no object', text: '[]', reason: /^record is not an object$/ },
  { what: 'empty', text: '', reason: /^record is not JSON$/ },
  {
    what: 'for a destination that is none',
    text: JSON.stringify({ ...record, destination: 'https://user@host/' }),
    reason: /^record\.destination carries user information$/,
  },
  {
    what: 'traced by what is no traceparent',
    text: JSON.stringify({ ...record, traceparent: `${traceparent}\r\nx: y` }),
    reason: /^record\.traceparent is not one$/,
  },
  {
    what: 'finished without a result',
    text: JSON.stringify({ ...record, result: undefined }),
    reason: /^record\.result does not go with its state$/,
  },
  {
    what: 'about data of another size',
    text: JSON.stringify({ ...record, state: 'Pending', result: undefined, dataBytes: 99 }),
    reason: /^record\.dataBytes is not the size of its data$/,
  },
];

for (const { what, text: broken, reason } of unreadable) {
  test(`a record that is ${what} is refused`, (t) => {
    const decoded = decode(broken, stored);
    if (decoded.ok) throw new Error('it was read');
    t.regex(decoded.reason, reason);
    t.false(decoded.newer);
  });
}
